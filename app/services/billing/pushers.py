"""From where the payment gateway pushes.

The body of a push is read before its signature can be judged, so strangers share a few places
for it. An address from which a right one came has places of its own, or a crowd of strangers
would keep the gateway out.
"""

import math
import time
from collections.abc import Callable
from typing import Final

import redis

from app.domain.time_ranges import DAY
from app.extensions import wakeup
from app.queues import FAULTS
from app.services.accounts.concurrent_calls import NOTICES, PUSHES, ConcurrentCalls
from app.token_buckets import AWAY_SECONDS

#: From its last right push.
REMEMBERED_SECONDS: Final = 30 * DAY


class KnownPushers:
    """The addresses of right pushes, in Redis for all processes; each also knows its own."""

    def __init__(self, shared: Callable[[], redis.Redis] = lambda: wakeup.redis) -> None:
        self._shared = shared
        self._here: set[str] = set()  # only who has the gateway's secret makes it grow
        self._away_until = -math.inf

    def remember(self, network: str) -> None:
        """Note that a right push came from `network`."""
        self._here.add(network)
        self._ask(lambda client: client.set(_key(network), 1, ex=REMEMBERED_SECONDS))

    def has(self, network: str) -> bool:
        """Whether a right push came from `network`."""
        return network in self._here or bool(self._ask(lambda client: client.exists(_key(network))))

    def places(self, network: str) -> ConcurrentCalls:
        """Return the places among which a push from `network` has to find one."""
        return PUSHES if self.has(network) else NOTICES

    def _ask(self, question: Callable[[redis.Redis], object]) -> object:
        """Return the answer of Redis, or None while it is away."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return question(self._shared())
        except FAULTS:
            self._away_until = time.monotonic() + AWAY_SECONDS
            return None


PUSHERS: Final = KnownPushers()


def _key(network: str) -> str:
    return f"gatepost:pushers:{network}"
