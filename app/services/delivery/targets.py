"""Ways: destinations made ready to use, adapter and settings in hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.crypto import CannotUnseal, vault
from plugins.contract import Pace
from plugins.host.adapter import Adapter
from plugins.host.registry import BUILT_INS, BrokenTracker, Registry, UnknownTracker
from plugins.host.validation import AdapterFailed

_KEPT: Final = 4096
REST: Final = 60.0  # seconds in which a plugin that hung is not called again


class NoWay(Exception):
    """A destination cannot be used for now; the text says why."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to one destination: what `outbox.Claimed` names, opened."""

    adapter: Adapter
    settings: Mapping[str, Any]
    span: float | None  # seconds after which a retry is useless
    oldest: float | None  # seconds of age beyond which an event is refused
    pace: Pace | None  # how fast it may be told


class Ways:
    """Opens sealed settings once, and again only when they change."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._open: dict[tuple[str, str], Way] = {}
        self._resting: dict[str, float] = {}

    def to(self, tracker: str, sealed: str, now: float) -> Way:
        """The way for this tracker and these settings. Raises NoWay."""
        if now < self._resting.get(tracker, 0.0):
            raise NoWay(f"the tracker {tracker} took too long and rests for a while")
        way = self._open.get((tracker, sealed))
        if way is None:
            if len(self._open) >= _KEPT:
                self._open.clear()
            way = self._open[(tracker, sealed)] = self._make(tracker, sealed, now)
        return way

    def rest(self, tracker: str, until: float) -> None:
        """Ask nothing of a third party's adapter that had to be interrupted.

        Ours are exempt: when one of them is slow, the machine is.
        """
        if tracker not in BUILT_INS:
            self._resting[tracker] = until

    def known(self, tracker: str, sealed: str) -> Way | None:
        """The way if it was opened before: asks no plugin, whatever lock is held."""
        return self._open.get((tracker, sealed))

    def _make(self, tracker: str, sealed: str, now: float) -> Way:
        try:
            adapter = self._registry.get(tracker)
            settings = json.loads(vault.unseal(sealed))
            return Way(
                adapter,
                settings,
                adapter.retry_span(settings),
                adapter.oldest(settings),
                adapter.pace(settings),
            )
        except UnknownTracker:
            raise NoWay(f"the tracker {tracker} is not installed") from None
        except BrokenTracker as error:
            raise NoWay(f"the tracker {tracker} is broken: {error}") from error
        except CannotUnseal:
            raise NoWay("the settings were sealed with another SECRET_KEY") from None
        except AdapterFailed as error:
            if error.slow:
                self.rest(tracker, now + REST)
            raise NoWay(f"the tracker {tracker} failed: {error.reason}") from error
