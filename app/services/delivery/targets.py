"""Destinations made ready to use: adapter, decrypted settings and limits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.crypto import CannotDecrypt, cipher
from plugins.contract import DeliveryPolicy
from plugins.host.adapter import Adapter
from plugins.host.validation import AdapterFailed
from plugins.registry import BUILT_INS, BrokenTracker, Registry, UnknownTracker

_MAX_RESOLVED: Final = 4096
#: Characters of encrypted settings that are kept: a customer may have thousands of large ones.
_MOST_CHARACTERS: Final = 16_000_000
COOL_DOWN: Final = 60.0  # seconds for which a plugin that hung is not called


class DestinationUnavailable(Exception):
    """A destination cannot be used for now; the text says why."""


@dataclass(frozen=True, slots=True)
class ResolvedDestination:
    """The destination of a `ClaimedPostback` with its settings decrypted."""

    adapter: Adapter
    settings: Mapping[str, Any]
    policy: DeliveryPolicy
    touch_fields: frozenset[str] = frozenset()


class DestinationResolver:
    """Decrypts settings and asks for their limits once, and again only when they change."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._resolved: dict[tuple[str, str], ResolvedDestination] = {}
        self._characters = 0
        self._cooling: dict[str, float] = {}

    def resolve(self, tracker: str, encrypted: str, now: float) -> ResolvedDestination:
        """The destination for this tracker and these settings. Raises DestinationUnavailable."""
        if now < self._cooling.get(tracker, 0.0):
            raise DestinationUnavailable(
                f"the tracker {tracker} took too long and rests for a while"
            )
        destination = self._resolved.get((tracker, encrypted))
        if destination is None:
            self._characters += len(encrypted)
            if len(self._resolved) >= _MAX_RESOLVED or self._characters > _MOST_CHARACTERS:
                self._resolved.clear()
                self._characters = len(encrypted)
            destination = self._resolved[(tracker, encrypted)] = self._make(tracker, encrypted, now)
        return destination

    def cool_down(self, tracker: str, until: float) -> None:
        """Do not call a third party's adapter before `until`, Unix seconds.

        Ours are exempt: when one of them is slow, the machine is.
        """
        if tracker not in BUILT_INS:
            self._cooling[tracker] = until

    def cached(self, tracker: str, encrypted: str) -> ResolvedDestination | None:
        """The destination if it was resolved before. Calls no plugin, whatever lock is held."""
        return self._resolved.get((tracker, encrypted))

    def may_ask_for_touch(self, tracker: str, encrypted: str) -> bool:
        """Whether the destination wants to know of clicks, or was not resolved yet."""
        destination = self._resolved.get((tracker, encrypted))
        return destination is None or bool(destination.touch_fields)

    def _make(self, tracker: str, encrypted: str, now: float) -> ResolvedDestination:
        try:
            adapter = self._registry.get(tracker)
            settings = _read_settings(encrypted)
            policy = adapter.delivery_policy(settings)
            return ResolvedDestination(adapter, settings, policy, adapter.touch_fields(settings))
        except UnknownTracker:
            raise DestinationUnavailable(f"the tracker {tracker} is not installed") from None
        except BrokenTracker as error:
            raise DestinationUnavailable(f"the tracker {tracker} is broken: {error}") from error
        except CannotDecrypt:
            raise DestinationUnavailable(
                "the settings were encrypted with another SECRET_KEY"
            ) from None
        except ValueError:
            raise DestinationUnavailable("its stored settings cannot be read") from None
        except AdapterFailed as error:
            if error.slow:
                self.cool_down(tracker, now + COOL_DOWN)
            raise DestinationUnavailable(f"the tracker {tracker} failed: {error.reason}") from error


def _read_settings(encrypted: str) -> dict[str, Any]:
    """The settings of a destination. Raises CannotDecrypt, and ValueError if they are none."""
    settings = json.loads(cipher.decrypt(encrypted))
    if not isinstance(settings, dict):
        raise ValueError("settings are a JSON object")  # noqa: TRY004 - as for other bad JSON
    return settings
