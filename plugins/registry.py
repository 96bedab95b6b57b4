"""The registry of adapters, at the path that the documents name."""

from plugins.host.registry import (
    BUILT_INS,
    Adapter,
    AdapterFailed,
    Broken,
    BrokenTracker,
    Registry,
    UnknownTracker,
    make_adapter,
)

__all__ = [
    "BUILT_INS",
    "Adapter",
    "AdapterFailed",
    "Broken",
    "BrokenTracker",
    "Registry",
    "UnknownTracker",
    "make_adapter",
]
