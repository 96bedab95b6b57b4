"""How long the hooks of each account's trackers may keep a delivery worker's only thread busy.

Hooks and answer rules are limited one by one; a thousand that each stay below their limit take
the thread all the same. So an account whose hooks have used up their half of the last seconds
starts nothing for a while, and the others go on.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

#: Of the thread's time, in the long run.
SHARE: Final = 0.5
#: Seconds of hooks that an account may use at once.
BURST_SECONDS: Final = 1.0
_MOST_ACCOUNTS: Final = 10_000


class HookTime:
    """Counts the seconds of hooks by account.

    `clock` returns seconds that only grow, and `used` those that this thread has worked: what
    the machine does meanwhile is nobody's fault.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock = clock
        self._used = used
        self._paid_at: dict[int, float] = {}  # when all that was used is made up for

    @contextlib.contextmanager
    def of(self, account: int) -> Iterator[None]:
        """Count the time of the block for `account`."""
        began = self._used()
        try:
            yield
        finally:
            self._add(account, self._used() - began)

    def has_room(self, account: int) -> bool:
        """Whether hooks of this account may be called for something new."""
        paid_at = self._paid_at.get(account)
        return paid_at is None or paid_at - self._clock() <= BURST_SECONDS / SHARE

    def _add(self, account: int, seconds: float) -> None:
        now = self._clock()
        if len(self._paid_at) >= _MOST_ACCOUNTS:
            self._paid_at = {key: end for key, end in self._paid_at.items() if end > now}
        self._paid_at[account] = max(self._paid_at.get(account, 0.0), now) + seconds / SHARE
