"""From where the payment gateway pushes.

The body of a push is read before its signature can be judged, so strangers share a few places
for it. An address from which a right one came has places of its own, or a crowd of strangers
would keep the gateway out.
"""

from collections.abc import Callable
from typing import Final

import redis

from app.domain.time_ranges import DAY
from app.extensions import wakeup
from app.services.accounts.call_leases import AskedRedis
from app.services.accounts.concurrent_calls import NOTICES, PUSHES, ConcurrentCalls

#: From its last right push.
REMEMBERED_SECONDS: Final = 30 * DAY


class KnownPushers:
    """The addresses of right pushes, in Redis for all processes; each also knows its own."""

    def __init__(self, shared: Callable[[], redis.Redis] = lambda: wakeup.redis) -> None:
        self._redis = AskedRedis(shared)
        self._here: set[str] = set()  # only who has the gateway's secret makes it grow

    def remember(self, network: str) -> None:
        """Note that a right push came from `network`."""
        self._here.add(network)
        self._redis.ask(lambda client: client.set(_key(network), 1, ex=REMEMBERED_SECONDS))

    def has(self, network: str) -> bool:
        """Whether a right push came from `network`."""
        return network in self._here or bool(
            self._redis.ask(lambda client: client.exists(_key(network)))
        )

    def places(self, network: str) -> ConcurrentCalls:
        """Return the places among which a push from `network` has to find one."""
        return PUSHES if self.has(network) else NOTICES


PUSHERS: Final = KnownPushers()


def _key(network: str) -> str:
    return f"gatepost:pushers:{network}"
