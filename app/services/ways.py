"""Ways: destinations made ready to use, adapter and settings in hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.vault import CannotUnseal, vault
from plugins.adapter import Adapter
from plugins.checks import AdapterFailed
from plugins.registry import BrokenTracker, Registry, UnknownTracker

_KEPT: Final = 4096


class NoWay(Exception):
    """A destination cannot be used for now; the text says why."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to one destination: what `outbox.Claimed` names, opened."""

    adapter: Adapter
    settings: Mapping[str, Any]
    span: float | None  # seconds after which a retry is useless
    oldest: float | None  # seconds of age beyond which an event is refused


class Ways:
    """Opens sealed settings once, and again only when they change."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._open: dict[tuple[str, str], Way] = {}

    def to(self, tracker: str, sealed: str) -> Way:
        """The way for this tracker and these settings. Raises NoWay."""
        way = self._open.get((tracker, sealed))
        if way is None:
            if len(self._open) >= _KEPT:
                self._open.clear()
            way = self._open[(tracker, sealed)] = self._make(tracker, sealed)
        return way

    def _make(self, tracker: str, sealed: str) -> Way:
        try:
            adapter = self._registry.get(tracker)
            settings = json.loads(vault.unseal(sealed))
            return Way(
                adapter, settings, adapter.retry_span(settings), adapter.oldest(settings)
            )
        except UnknownTracker:
            raise NoWay(f"the tracker {tracker} is not installed") from None
        except BrokenTracker as error:
            raise NoWay(f"the tracker {tracker} is broken: {error}") from error
        except CannotUnseal:
            raise NoWay("the settings were sealed with another SECRET_KEY") from None
        except AdapterFailed as error:
            raise NoWay(f"the tracker {tracker} failed: {error.reason}") from error
