"""How long the hooks of each account's trackers may keep a delivery worker's only thread busy.

Hooks and answer rules are limited one by one; a thousand that each stay below their limit take
the thread all the same. So an account whose hooks have used up their half of the last seconds
starts nothing for a while, and the others go on. What is sent will be answered, and the answers
will be read: so each request counts from the beginning for what the account's hooks usually take.
"""

import contextlib
import resource
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

#: Of the thread's time, in the long run.
SHARE: Final = 0.5
#: Seconds of hooks that an account may use at once.
BURST_SECONDS: Final = 1.0
#: What a hook of an account takes that has called none yet.
UNKNOWN_SECONDS: Final = 0.01
#: The most seconds of hooks that an account pays for: then it has waited for two minutes.
MOST_SECONDS: Final = 60.0
#: A hook that waited for anything, and took so much longer than it worked, has slept.
SLEPT_SECONDS: Final = 0.02
#: How much one hook changes what is usual.
_WEIGHT: Final = 0.2
_MOST_ACCOUNTS: Final = 10_000
_WHO: Final = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


def _waits() -> int:
    """How often this thread has let others go on by its own will."""
    return resource.getrusage(_WHO).ru_nvcsw


class HookTime:
    """Counts the seconds of hooks by account.

    `clock` returns seconds that only grow, `used` those that this thread has worked, and `waits`
    how often it has waited: what the machine does meanwhile is nobody's fault, but a hook that
    sleeps keeps the thread as one that works.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
        waits: Callable[[], int] = _waits,
    ) -> None:
        self._clock = clock
        self._used = used
        self._waits = waits
        self._paid_at: dict[int, float] = {}  # when all that was used is made up for
        self._usual: dict[int, float] = {}  # seconds of one hook
        self._served: dict[int, float] = {}  # seconds of hooks, of those who have answers
        self._least = 0.0  # of whom had least of them
        self._sent: Counter[int] = Counter()  # requests whose answers will be read

    def next_of(self, accounts: Iterable[int]) -> int:
        """Return whose answer is to be read next: all who have any get the same time.

        Who had none for a while begins with the one that had least of those who had.
        """
        account = min(accounts, key=self._served_at)
        self._least = self._served_at(account)
        return account

    @contextlib.contextmanager
    def of(self, account: int) -> Iterator[None]:
        """Count the time of the block for `account`."""
        began, used, waits = self._clock(), self._used(), self._waits()
        try:
            yield
        finally:
            worked, passed = self._used() - used, self._clock() - began
            has_slept = passed - worked > SLEPT_SECONDS and self._waits() > waits
            self._add(account, passed if has_slept else worked)

    def send(self, account: int) -> None:
        """Count a request whose answer will be read by hooks of `account`."""
        self._sent[account] += 1

    def receive(self, account: int) -> None:
        """Count one of them no more."""
        self._sent[account] -= 1
        if not self._sent[account]:
            del self._sent[account]

    def has_room(self, account: int) -> bool:
        """Whether hooks of this account may be called for something new."""
        expected = self._sent[account] * self._usual.get(account, UNKNOWN_SECONDS)
        return self._debt(account) + expected <= BURST_SECONDS

    def may_build(self, account: int) -> bool:
        """Whether hooks of this account may be called for what was claimed."""
        return self._debt(account) <= BURST_SECONDS

    def exhausted(self) -> list[int]:
        """The accounts of which nothing is to be claimed."""
        now = self._clock()
        self._paid_at = {key: end for key, end in self._paid_at.items() if end > now}
        return [account for account in self._paid_at if not self.may_build(account)]

    def _debt(self, account: int) -> float:
        """Seconds of hooks that are not made up for."""
        return max(0.0, self._paid_at.get(account, 0.0) - self._clock()) * SHARE

    def _served_at(self, account: int) -> float:
        return max(self._served.get(account, 0.0), self._least)

    def _add(self, account: int, seconds: float) -> None:
        now = self._clock()
        if len(self._usual) >= _MOST_ACCOUNTS:
            self._usual.clear()
            self._served.clear()
        self._served[account] = self._served_at(account) + seconds
        usual = self._usual.get(account, UNKNOWN_SECONDS)
        self._usual[account] = usual + (seconds - usual) * _WEIGHT
        debt = min(self._debt(account) + seconds, MOST_SECONDS)
        self._paid_at[account] = now + debt / SHARE
