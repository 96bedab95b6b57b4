"""What the doubles of the ad platforms share: events, each counted once.

An event of the same name and id within 48 hours is the same event, and does
not count again.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from app.sandbox.vendors.vendor import MAX_KEPT, VendorDouble

SAME_SECONDS: Final = 48 * 3600


@dataclass(frozen=True, slots=True)
class Taken:
    """One event that was accepted.

    `test` is the code under which it is only shown and does not count.
    `repeated`: an equal one came before, so it does not count either.
    """

    event: Mapping[str, Any]
    test: str
    repeated: bool


class ConversionsDouble(VendorDouble):
    """One pixel with one token, both made up. `clock` gives Unix seconds."""

    pixel: ClassVar[str]
    token: ClassVar[str] = "a-made-up-token"  # noqa: S105  # opens nothing but this double

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.clock = clock
        self._taken: deque[Taken] = deque(maxlen=MAX_KEPT)
        self._last_seen: dict[tuple[str, str], float] = {}

    def taken(self) -> list[Taken]:
        """Return what was accepted, oldest first, repetitions too."""
        with self._lock:
            return list(self._taken)

    def counted(self) -> list[Mapping[str, Any]]:
        """Return the events that count: accepted, live, each once."""
        return [line.event for line in self.taken() if not line.repeated and not line.test]

    def take(self, event: Mapping[str, Any], name: str, test: str = "") -> None:
        """Accept an event. For subclasses, under the lock."""
        now = self.clock()
        key = (name, str(event.get("event_id")))
        repeated = now - self._last_seen.get(key, float("-inf")) < SAME_SECONDS
        if not repeated:
            self._last_seen[key] = now
        self._taken.append(Taken(event, test, repeated))


def is_hash(value: object) -> bool:
    """Return whether this is a SHA-256 in lower-case hexadecimal."""
    return isinstance(value, str) and len(value) == 64 and not set(value) - set("0123456789abcdef")
