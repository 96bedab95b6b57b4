"""Token buckets that all processes share: the one limit on how often something may be done.

A bucket is one number, as GCRA keeps it: the time when the bucket is full
again. One script in Redis reads and moves it, so all processes count together.
While Redis is away each process goes on by itself from what it knew last.

`now` is the caller's clock, in Unix seconds. A process whose clock is ahead
slows the others down; together they are never too fast.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import redis

from app.extensions import wakeup
from app.queues import FAULTS
from app.web.shares.interpreter_queue import turn_given_back

#: After a fault Redis is not asked for so many seconds: one caller waits for it, not all.
AWAY_SECONDS: Final = 5.0
#: Buckets that one process remembers by itself.
REMEMBERED: Final = 10_000
_EPSILON: Final = 1e-6  # seconds: times travel as text with six decimals

# `known` is what this process knew, so a Redis that was emptied gives no second burst.
_SCRIPT: Final = """
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local taken = interval * tonumber(ARGV[5])
local known = math.max(tonumber(ARGV[4]), tonumber(redis.call('GET', KEYS[1]) or '0'))
local kept = interval * tonumber(ARGV[6])
local full = math.max(known, now) + taken
if full + kept - now > burst * interval + 1e-6 then
    return {0, string.format('%.6f', known)}
end
local text = string.format('%.6f', full)
redis.call('SET', KEYS[1], text, 'PX', string.format('%d', math.ceil((full - now) * 1000) + 1000))
return {1, text}
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` tokens at once, `per_minute` tokens in the long run."""

    per_minute: float
    burst: int

    @property
    def interval(self) -> float:
        """Seconds until one more token is there."""
        return 60.0 / self.per_minute


class TokenBuckets:
    """The buckets under one prefix, as one process sees them.

    `shared` returns the Redis that holds them; it is called for each question.
    """

    def __init__(
        self, prefix: str, shared: Callable[[], redis.Redis] = lambda: wakeup.redis
    ) -> None:
        self._prefix = prefix
        self._shared = shared
        self._script: Any = None
        self._full: dict[str, float] = {}  # never later than the truth
        self._away_until = -math.inf

    def take(self, name: str, rate: Rate, now: float, count: int = 1, keep: int = 0) -> float:
        """Take tokens, no more than a burst. Returns 0.0, or the seconds until they are there.

        None are taken unless so many more are there as are to `keep`.

        A refusal costs nothing: a caller that is too fast is served at the rate.
        """
        # No bucket is emptier than empty: if it seems so, this clock was set back.
        latest = now + rate.burst * rate.interval
        full, granted = min(self._full.get(name, 0.0), latest), False
        if tokens(full, rate, now) >= count + keep:
            arguments = [now, rate.interval, rate.burst, full, count, keep]
            granted, full = self._move(name, arguments)
        full = min(full, latest)
        self._remember(name, full, now)
        return 0.0 if granted else max(next_token(full, rate, count + keep) - now, _EPSILON)

    def full_at(self, name: str) -> float:
        """When the bucket is full again, Unix seconds, as far as this process knows, else 0.0."""
        return self._full.get(name, 0.0)

    def forget(self) -> None:
        """Drop what this process knows by itself."""
        self._full.clear()
        self._away_until = -math.inf

    def _move(self, name: str, arguments: list[Any]) -> tuple[bool, float]:
        """Let the script do it, or do as it would: what this process knows lets it be taken."""
        now, interval, _, full, count, _ = arguments
        if now >= self._away_until:
            try:
                return self._ask(name, arguments)
            except FAULTS:
                self._away_until = now + AWAY_SECONDS
        return True, max(full, now) + interval * count

    def _ask(self, name: str, arguments: list[Any]) -> tuple[bool, float]:
        client = self._shared()
        if self._script is None:
            self._script = client.register_script(_SCRIPT)
        with turn_given_back():
            granted, full = self._script(
                keys=[f"{self._prefix}:{name}"], args=arguments, client=client
            )
        return bool(granted), float(full)

    def _remember(self, name: str, full: float, now: float) -> None:
        if len(self._full) >= REMEMBERED:  # a bucket that is full again says nothing
            self._full = {key: end for key, end in self._full.items() if end > now}
        if len(self._full) < REMEMBERED or name in self._full:
            self._full[name] = full


def tokens(full: float, rate: Rate, now: float) -> int:
    """How many tokens are in a bucket that is full again at `full`."""
    missing = max(0.0, full - now - _EPSILON) / rate.interval
    return max(0, math.floor(rate.burst - missing))


def next_token(full: float, rate: Rate, count: int = 1) -> float:
    """When the next `count` tokens are there, Unix seconds, if they are not."""
    return full + (count - rate.burst) * rate.interval
