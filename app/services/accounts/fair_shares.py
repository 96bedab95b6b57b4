"""Calls of one account that work at once, so that no account takes all of a process."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from app.errors import TooManyRequests
from app.web.request_slots import THREADS, share_held
from app.web.shares.refusals import RETRY_SECONDS

#: As many as `RequestSlots` lets in.
CALLS_IN_ALL: Final = THREADS * 3 // 4
SHARE_OF_FREE: Final = 5


@dataclass(slots=True)
class _Calls:
    """The calls of one account that are in the process."""

    working: threading.Semaphore
    count: int = field(default=0)


class FairShares:
    """At most `working` calls of an account work at once; up to `calls` of it are there.

    Of the places that are free of `in_all` an account may have a fifth, and always one: ten
    accounts that have all they may leave 62 of 384. Calls that wait do so without a request
    slot, so only calls of their own account wait for them. One that waited for `seconds` is
    refused.
    """

    def __init__(
        self, working: int, calls: int, seconds: float = 30.0, in_all: int = CALLS_IN_ALL
    ) -> None:
        self._working, self._most, self._seconds = working, calls, seconds
        self._free = in_all
        self._calls: dict[int, _Calls] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def share(self, account_id: int) -> Iterator[None]:
        """Run the block as a call of this account. Raises TooManyRequests.

        Hold no database connection: it may have to wait.
        """
        calls = self._enter(account_id)
        try:
            with share_held(calls.working, self._seconds):
                yield
        finally:
            self._leave(account_id, calls)

    def _enter(self, account_id: int) -> _Calls:
        with self._lock:
            calls = self._calls.get(account_id)
            if calls is None:
                calls = self._calls[account_id] = _Calls(threading.Semaphore(self._working))
            if calls.count >= max(1, min(self._most, self._free // SHARE_OF_FREE)):
                raise TooManyRequests(RETRY_SECONDS)
            calls.count += 1
            self._free -= 1
            return calls

    def _leave(self, account_id: int, calls: _Calls) -> None:
        with self._lock:
            calls.count -= 1
            self._free += 1
            if not calls.count:
                del self._calls[account_id]


#: Python runs one thread at a time: two calls of an account keep it busy. Those that wait for a
#: body or for another server do not work.
CALLS: Final = FairShares(working=2, calls=64)
