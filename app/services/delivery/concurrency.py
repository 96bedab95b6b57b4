"""Places: how much of the transport each destination and host may hold.

A tracker that hangs keeps its own few places busy until its breaker opens;
everyone else's stay free. A destination that answers well is trusted with
more rows in hand, so that a healthy mass flows without waiting for claims.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from app.domain.backoff import BREAKER_FAILURES
from app.services.postbacks import Wanted

PER_DESTINATION: Final = 16  # requests in the air
PER_HOST: Final = 64
IN_ALL: Final = 512
FIRST_HAND: Final = 16  # rows claimed from a destination we know nothing of
FULL_HAND: Final = 512


class Places:
    """Counts what is in the air and how many rows each destination earns."""

    def __init__(self) -> None:
        self._destinations: Counter[int] = Counter()
        self._hosts: Counter[str] = Counter()
        self._hand: dict[int, int] = {}
        self.taken = 0

    def free(self, destination: int, host: str) -> bool:
        """Whether one more request may start."""
        return (
            self.taken < IN_ALL
            and self._destinations[destination] < PER_DESTINATION
            and self._hosts[host] < PER_HOST
        )

    def take(self, destination: int, host: str) -> None:
        """A request starts."""
        self.taken += 1
        self._destinations[destination] += 1
        self._hosts[host] += 1

    def give(self, destination: int, host: str) -> None:
        """A request ended."""
        self.taken -= 1
        self._destinations[destination] -= 1
        self._hosts[host] -= 1
        if not self._hosts[host]:  # what tells destinations apart is bounded, hosts are not
            del self._hosts[host]

    def learn(self, destination: int, *, good: bool) -> None:
        """An answer came: earn more rows, or fall back to the beginning."""
        if good:
            hand = self._hand.get(destination, FIRST_HAND)
            self._hand[destination] = min(hand + 1, FULL_HAND)
        else:
            self._hand.pop(destination, None)

    def room_for(self, wanted: Wanted) -> int:
        """How many rows of this destination may be claimed now."""
        if wanted.failures >= BREAKER_FAILURES:
            return 1 - wanted.sending  # half open: one row shows whether it is back
        return self._hand.get(wanted.id, FIRST_HAND) - wanted.sending
