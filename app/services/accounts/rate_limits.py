"""How often a caller may call the API: by account, and by address of strangers.

One number per caller, as GCRA keeps it: when the caller's bucket is full
again. One script in Redis moves it, so all processes count together; while
Redis is away each process counts by itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import redis

from app.errors import TooManyRequests
from app.extensions import doorbell
from app.queues import FAULTS

AWAY_SECONDS: Final = 5.0  # Redis is left alone after a fault: one caller waits for it, not all
KEPT: Final = 10_000  # callers that one process remembers by itself

#: Returns the seconds to wait as text, "0" when the call is granted.
SCRIPT: Final = """
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
full = math.min(full, now + burst * interval) + interval
local wait = full - now - burst * interval
if wait > 1e-6 then return string.format('%.6f', wait) end
local text = string.format('%.6f', full)
redis.call('SET', KEYS[1], text, 'PX', string.format('%d', math.ceil((full - now) * 1000)))
return '0'
"""


@dataclass(slots=True)
class Limit:
    """`burst` calls at once, `per_minute` calls in the long run, for each caller.

    A call that is refused costs nothing: who goes on too fast is served at the
    rate, not shut out.
    """

    name: str
    per_minute: float
    burst: int
    clock: Callable[[], float] = time.time
    shared: Callable[[], redis.Redis] = lambda: doorbell.redis
    _full: dict[str, float] = field(default_factory=dict)
    _away_until: float = -math.inf

    def hit(self, caller: str) -> None:
        """Count one call. Raises TooManyRequests with the whole seconds to wait."""
        now = self.clock()
        wait = None if now < self._away_until else self._ask(caller, now)
        if wait is None:
            wait = self._count_here(caller, now)
        if wait > 0:
            raise TooManyRequests(math.ceil(wait))

    def _ask(self, caller: str, now: float) -> float | None:
        terms: list[Any] = [now, 60 / self.per_minute, self.burst]
        try:
            # EVAL and not EVALSHA: a Redis that was emptied has forgotten the script.
            return float(
                self.shared().eval(SCRIPT, 1, f"gatepost:limit:{self.name}:{caller}", *terms)
            )
        except FAULTS:
            self._away_until = now + AWAY_SECONDS
            return None

    def _count_here(self, caller: str, now: float) -> float:
        interval = 60 / self.per_minute
        known = min(max(self._full.get(caller, 0.0), now), now + self.burst * interval)
        wait = known + interval - now - self.burst * interval
        if wait > 1e-6:
            return wait
        if len(self._full) >= KEPT:  # those whose bucket is full again know nothing
            self._full = {one: full for one, full in self._full.items() if full > now}
        if len(self._full) < KEPT or caller in self._full:
            self._full[caller] = known + interval
        return 0.0


#: Whoever has a key: a dashboard page asks ten things at once, a script pages on for hours.
AUTHENTICATED: Final = Limit("callers", per_minute=6000, burst=1000)
#: Whoever has none, or a wrong one, by address.
ANONYMOUS: Final = Limit("strangers", per_minute=600, burst=300)
#: Calls by which somebody else's server is asked, on top of the first; by account.
OUTBOUND: Final = Limit("outward", per_minute=120, burst=60)
#: By endpoint; `postbacks.test` counts only what it really sends, in `tryout`.
EXPENSIVE_ENDPOINTS: Final[Mapping[str, Limit]] = dict.fromkeys(
    ("bots.add", "destinations.check", "profile.connect"), OUTBOUND
)
