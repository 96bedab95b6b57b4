"""How many names each account may have looked up at once.

libcurl asks for names on 20 threads, and one whose server is silent keeps its thread for seconds,
also when its exchange is long over. So an account may have as many look-ups as are free of
twelve: alone six, beside another four. Of the other eight, four go to accounts that have none,
and the last four to those of them whose name was found before. An account that had a name given
up for lately gets none of these eight, so that a few accounts with silent servers cannot hold all.
"""

import ipaddress
import time
from collections import Counter, deque
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

#: The threads of libcurl's resolver.
IN_ALL: Final = 20
#: The last ones are for accounts that have none, and the very last for names that were good.
FOR_NEWCOMERS: Final = 8
FOR_GOOD_NAMES: Final = 4
#: Seconds for which a name that was found counts as good, and an account whose look-up was given
#: up for as one with silent servers.
GOOD_SECONDS: Final = 3600.0
SILENT_SECONDS: Final = 60.0
#: Seconds for which a name that was found needs no look-up; libcurl remembers it for 60.
KNOWN_SECONDS: Final = 5.0
#: Seconds after its start for which a look-up without an end keeps its thread: two questions of
#: 2 s to each of two name servers.
LONGEST_SECONDS: Final = 9.0
#: A request that lasted so long without a name was given up for it, by `connect_seconds`.
GIVEN_UP_SECONDS: Final = 2.0
_MOST_KNOWN: Final = 10_000


class _LookUp(NamedTuple):
    host: str
    account: int
    started: float


class NameLookups:
    """Counts look-ups by account. `clock` returns seconds that only grow.

    A host is the beginning of a URL: scheme, name and port. `refused` says whether `has_room`
    was in the way of anything since it was last set to False.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.refused = False
        self._running: dict[int, _LookUp] = {}
        self._lingering: deque[_LookUp] = deque()
        self._accounts: Counter[int] = Counter()
        self._answered: dict[str, float] = {}  # names, when they were looked up
        self._silent: dict[int, float] = {}  # accounts, until when

    @property
    def running(self) -> int:
        """How many look-ups may be under way."""
        return len(self._running)

    def has_room(self, host: str, account: int) -> bool:
        """Whether a request to `host` may start: its name is known, or may be looked up now."""
        now = self._clock()
        has_room = self._is_known(host, now) or self._may_look_up(host, account, now)
        self.refused |= not has_room
        return has_room

    def _may_look_up(self, host: str, account: int, now: float) -> bool:
        self._forget_ended(now)
        free = IN_ALL - len(self._running) - len(self._lingering)
        running = self._accounts[account]
        if running < free - FOR_NEWCOMERS:
            return True
        if running or self._silent.get(account, 0.0) > now:
            return False
        return free > FOR_GOOD_NAMES or (free > 0 and self._is_good(host, now))

    def begin(self, tag: int, host: str, account: int) -> None:
        """Count a look-up for a request that starts, unless the name is known."""
        now = self._clock()
        if not self._is_known(host, now):
            self._running[tag] = _LookUp(host, account, now)
            self._accounts[account] += 1

    def found(self, tag: int, *, is_new: bool) -> None:
        """Note that a request needs its look-up no more.

        `is_new`: it connects, so the name is there. Else it goes over a connection that was
        open, which tells nothing of the name.
        """
        lookup = self._running.pop(tag, None)
        if lookup is None:
            return
        self._end(lookup)
        if not is_new:
            return
        if len(self._answered) >= _MOST_KNOWN:
            self._answered.clear()
        self._answered[lookup.host] = self._clock()

    def end(self, tag: int, seconds: float) -> None:
        """Note that a request is over after `seconds`.

        A look-up that has found nothing by then, and did not end the request itself, goes on
        without it.
        """
        lookup = self._running.pop(tag, None)
        if lookup is None:
            return
        self._answered.pop(lookup.host, None)
        if seconds < GIVEN_UP_SECONDS:  # there is no such name, or nothing was looked up
            self._end(lookup)
            return
        self._lingering.append(lookup)
        if len(self._silent) >= _MOST_KNOWN:
            self._silent.clear()
        self._silent[lookup.account] = self._clock() + SILENT_SECONDS

    def clear(self) -> None:
        """Forget everything that runs."""
        for lookup in (*self._running.values(), *self._lingering):
            self._end(lookup)
        self._running.clear()
        self._lingering.clear()

    def _is_known(self, host: str, now: float) -> bool:
        return _is_address(host) or now - self._answered.get(host, -GOOD_SECONDS) < KNOWN_SECONDS

    def _is_good(self, host: str, now: float) -> bool:
        return now - self._answered.get(host, -GOOD_SECONDS) < GOOD_SECONDS

    def _forget_ended(self, now: float) -> None:
        while self._lingering and self._lingering[0].started + LONGEST_SECONDS <= now:
            self._end(self._lingering.popleft())

    def _end(self, lookup: _LookUp) -> None:
        self._accounts[lookup.account] -= 1
        if not self._accounts[lookup.account]:
            del self._accounts[lookup.account]


@lru_cache(maxsize=1024)
def _is_address(host: str) -> bool:
    """Whether a host is named by its address, which nobody looks up."""
    name = host.partition("://")[2]
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
