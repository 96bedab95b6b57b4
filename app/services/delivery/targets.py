"""Destinations made ready to use: adapter, decrypted settings and limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.crypto import CannotDecrypt, cipher
from plugins.contract import Pace
from plugins.host.adapter import Adapter
from plugins.host.registry import BUILT_INS, BrokenTracker, Registry, UnknownTracker
from plugins.host.validation import AdapterFailed

_KEPT: Final = 4096
COOL_DOWN: Final = 60.0  # seconds in which a plugin that hung is not called again


class DestinationUnavailable(Exception):
    """A destination cannot be used for now; the text says why."""


@dataclass(frozen=True, slots=True)
class ResolvedDestination:
    """The destination of a `ClaimedPostback` with its settings decrypted."""

    adapter: Adapter
    settings: Mapping[str, Any]
    span: float | None  # seconds after which a retry is useless
    oldest: float | None  # seconds of age beyond which an event is refused
    pace: Pace | None  # how fast it may be told


class DestinationResolver:
    """Opens encrypted settings once, and again only when they change."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._open: dict[tuple[str, str], ResolvedDestination] = {}
        self._cooling: dict[str, float] = {}

    def resolve(self, tracker: str, encrypted: str, now: float) -> ResolvedDestination:
        """The destination for this tracker and these settings. Raises DestinationUnavailable."""
        if now < self._cooling.get(tracker, 0.0):
            raise DestinationUnavailable(
                f"the tracker {tracker} took too long and rests for a while"
            )
        way = self._open.get((tracker, encrypted))
        if way is None:
            if len(self._open) >= _KEPT:
                self._open.clear()
            way = self._open[(tracker, encrypted)] = self._make(tracker, encrypted, now)
        return way

    def cool_down(self, tracker: str, until: float) -> None:
        """Ask nothing of a third party's adapter that had to be interrupted.

        Ours are exempt: when one of them is slow, the machine is.
        """
        if tracker not in BUILT_INS:
            self._cooling[tracker] = until

    def cached(self, tracker: str, encrypted: str) -> ResolvedDestination | None:
        """The way if it was opened before: asks no plugin, whatever lock is held."""
        return self._open.get((tracker, encrypted))

    def _make(self, tracker: str, encrypted: str, now: float) -> ResolvedDestination:
        try:
            adapter = self._registry.get(tracker)
            settings = json.loads(cipher.decrypt(encrypted))
            return ResolvedDestination(
                adapter,
                settings,
                adapter.retry_span(settings),
                adapter.oldest(settings),
                adapter.pace(settings),
            )
        except UnknownTracker:
            raise DestinationUnavailable(f"the tracker {tracker} is not installed") from None
        except BrokenTracker as error:
            raise DestinationUnavailable(f"the tracker {tracker} is broken: {error}") from error
        except CannotDecrypt:
            raise DestinationUnavailable(
                "the settings were encrypted with another SECRET_KEY"
            ) from None
        except AdapterFailed as error:
            if error.slow:
                self.cool_down(tracker, now + COOL_DOWN)
            raise DestinationUnavailable(f"the tracker {tracker} failed: {error.reason}") from error
