"""How many requests each destination, host and account may have in flight.

A tracker that hangs uses up its own slots until its breaker opens; those of
the others stay free. What an account may take depends on what is free, so one that
is alone gets most of it, and whoever comes next finds something. A destination that
answers well may have more of its rows claimed ahead, so that many postbacks flow
without waiting for claims.
"""

from collections import Counter
from collections.abc import Collection
from typing import Final

from app.domain.backoff import BREAKER_FAILURES
from app.services.postbacks import DueDestination

PER_DESTINATION: Final = 16  # requests in flight of a destination we know nothing of
MOST_PER_DESTINATION: Final = 48  # of one that answers well
PER_HOST: Final = 64
IN_ALL: Final = 512
MAX_CLAIMED: Final = 1024  # rows of one drain, queued or in flight
#: Rows of one claim: who has one row to send waits for the claim before and for its own.
CLAIMED_AT_ONCE: Final = 96
IN_COMPANY: Final = 36  # the same while several accounts have postbacks
MAX_AT_ONCE: Final = 64  # of a process that sends what it stages itself
FEW_ROWS: Final = MAX_CLAIMED // 4  # for so few or fewer a claim is not made at once
#: An account may have so many times the free slots in flight: of 512 one takes at most
#: 384, two 219 each, ten 49 each. So may a destination of its host's: 48, 27 each, 6 each.
SHARE_OF_FREE: Final = 3
#: An account may have so many times its host's free ones, whatever the number of its
#: destinations there: of 64 alone 56, so that whoever comes next finds something.
ACCOUNT_SHARE_OF_HOST: Final = 7
#: The same of rows claimed: one account takes at most half, two a third each.
CLAIM_SHARE_OF_FREE: Final = 1
MAX_PREFETCH: Final = 512


class ConcurrencyLimiter:
    """Counts requests in flight, and how many rows of each destination to claim ahead."""

    def __init__(self) -> None:
        self._destinations: Counter[int] = Counter()
        self._hosts: Counter[str] = Counter()
        self._accounts: Counter[int] = Counter()
        self._at_hosts: Counter[tuple[int, str]] = Counter()
        self._prefetch: dict[int, int] = {}
        self.in_flight = 0
        #: Accounts to whose trackers nothing is begun, whatever was claimed for them.
        self.suspended: Collection[int] = ()

    def is_open(self, host: str, account: int) -> bool:
        """Whether one more request of an account's may go to a host, by whatever destination."""
        free = PER_HOST - self._hosts[host]
        return (
            account not in self.suspended
            and self._accounts[account] < SHARE_OF_FREE * (IN_ALL - self.in_flight)
            and self._at_hosts[account, host] < ACCOUNT_SHARE_OF_HOST * free
        )

    def has_room(self, destination: int, host: str, account: int) -> bool:
        """Whether one more request may start."""
        sent, free = self._destinations[destination], PER_HOST - self._hosts[host]
        return (
            sent < SHARE_OF_FREE * free
            and sent < min(self._earned(destination), MOST_PER_DESTINATION)
            and self.is_open(host, account)
        )

    def acquire(self, destination: int, host: str, account: int) -> None:
        """Count a request that starts."""
        self.in_flight += 1
        self._accounts[account] += 1
        self._destinations[destination] += 1
        self._hosts[host] += 1
        self._at_hosts[account, host] += 1

    def release(self, destination: int, host: str, account: int) -> None:
        """Count a request that ended."""
        self.in_flight -= 1
        self._accounts[account] -= 1
        self._destinations[destination] -= 1
        self._hosts[host] -= 1
        self._at_hosts[account, host] -= 1
        # Destinations are bounded, the hosts they name are not.
        if not self._hosts[host]:
            del self._hosts[host]
        if not self._at_hosts[account, host]:
            del self._at_hosts[account, host]

    def record_result(self, destination: int, *, succeeded: bool) -> None:
        """Allow one more in flight and claimed after a success; begin anew after a failure."""
        if succeeded:
            self._prefetch[destination] = min(self._earned(destination) + 1, MAX_PREFETCH)
        else:
            self._prefetch.pop(destination, None)

    def claimable(self, due: DueDestination) -> int:
        """Return how many rows of this destination may be claimed now."""
        if due.failures >= BREAKER_FAILURES:
            return 1 - due.sending  # half open: one row shows whether it is back
        return self._earned(due.id) - due.sending

    def _earned(self, destination: int) -> int:
        return self._prefetch.get(destination, PER_DESTINATION)
