"""How many calls that last an account may have at once, and all accounts together.

All web processes count together in Redis, and each one for itself, so that the limits also hold
within a process while Redis is away.
"""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Final

from app.errors import TooManyRequests
from app.services.accounts.call_leases import CallLeases

RETRY_SECONDS: Final = 1
#: `in_all` keeps threads of a process free. All processes together let so many times as many in,
#: so that the accounts that can fill one cannot fill them all.
PROCESSES: Final = 8


class ConcurrentCalls:
    """At most `per_account` calls of one account at once, and `in_all` of all in a process.

    Where callers are no accounts, each is whatever it is counted by, such as its address.
    Without `leases` only this process counts.
    """

    def __init__(self, per_account: int, in_all: int, leases: CallLeases | None = None) -> None:
        self._per_account, self._in_all = per_account, in_all
        self._leases = leases
        self._running: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    def begin(self, caller: Hashable) -> Callable[[], None]:
        """Count a call until what this returns is called; again it does nothing.

        Raises TooManyRequests.
        """
        with self._lock:
            if self._running[caller] >= self._per_account or self._running.total() >= self._in_all:
                raise TooManyRequests(RETRY_SECONDS)
            self._running[caller] += 1
        lease = self._lease(caller)
        has_ended = threading.Lock()

        def end() -> None:
            if has_ended.acquire(blocking=False):
                self._end(caller)
                if self._leases is not None:
                    self._leases.release(lease)

        return end

    def _lease(self, caller: Hashable) -> str:
        if self._leases is None:
            return ""
        lease = self._leases.acquire(caller, self._per_account, self._in_all * PROCESSES)
        if lease is None:
            self._end(caller)
            raise TooManyRequests(RETRY_SECONDS)
        return lease

    def _end(self, caller: Hashable) -> None:
        with self._lock:
            self._running[caller] -= 1
            if not self._running[caller]:
                del self._running[caller]

    @contextlib.contextmanager
    def running(self, caller: Hashable) -> Iterator[None]:
        """Count a call while the block runs. Raises TooManyRequests."""
        end = self.begin(caller)
        try:
            yield
        finally:
            end()


#: So many of one account, and in all. Calls in which we ask somebody else's server: each holds
#: a thread for up to 30 seconds.
OUTWARD: Final = ConcurrentCalls(4, 64, CallLeases("outward"))
#: Questions to the payment gateway what became of an invoice, by the account that it is for:
#: whoever holds the reference of an invoice may ask without a key.
CHECKS: Final = ConcurrentCalls(4, 64, CallLeases("checks"))
#: Uploads go to the store of media, if there is one; so do deletions.
UPLOADS: Final = ConcurrentCalls(4, 64, CallLeases("uploads"))
#: An export lasts as long as its reader likes.
EXPORTS: Final = ConcurrentCalls(2, 32, CallLeases("exports"))
#: Pushes of a payment gateway: anybody may call, and the body is read before its signature.
NOTICES: Final = ConcurrentCalls(4, 32, CallLeases("notices"))
#: The same from an address that has pushed rightly before.
PUSHES: Final = ConcurrentCalls(32, 64, CallLeases("pushes"))
#: Each looks through all that Telegram brought in days.
ERASURES: Final = ConcurrentCalls(1, 4, CallLeases("erasures"))
#: Which endpoints are counted. `leads.export` counts itself: it goes on after its view.
LASTING_ENDPOINTS: Final[Mapping[str, ConcurrentCalls]] = {
    **dict.fromkeys(
        (
            "bots.add",
            "bots.remove",
            "destinations.check",
            "postbacks.test",
            "profile.connect",
            "sites.check",
            "tariffs.buy",
        ),
        OUTWARD,
    ),
    "media.remove": UPLOADS,
    "media.upload": UPLOADS,
    "leads.erase": ERASURES,
}
