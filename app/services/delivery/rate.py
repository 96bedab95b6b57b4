"""Pacing: how fast a tracker may be told, counted over all processes.

A bucket of tokens per tracker and key, as GCRA keeps it: one number, the time
when the bucket is full again, moved by one script in Redis. While Redis is
away each process goes on by itself from what it knew last.

`now` is the caller's clock, as for everything that is due. A process whose
clock is ahead slows the others down; together they are never too fast.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import redis

from app.extensions import doorbell
from app.queues import FAULTS
from plugins.contract import Pace

AWAY_SECONDS: Final = 5.0  # Redis is left alone after a fault: a drain waits for it once
LONGEST: Final = 60.0  # seconds until someone without a token asks again
_KEPT: Final = 4096
_EPSILON: Final = 1e-6  # seconds: times travel as text with six decimals

# `known` is what this process knew: a Redis that was emptied forgets nothing.
_TAKE: Final = """
local now, interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = math.max(tonumber(ARGV[4]), tonumber(redis.call('GET', KEYS[1]) or '0'))
local full = math.max(known, now) + interval
if full - now > burst * interval + 1e-6 then
    return {0, string.format('%.6f', known)}
end
local text = string.format('%.6f', full)
redis.call('SET', KEYS[1], text, 'PX', string.format('%d', math.ceil((full - now) * 1000) + 1000))
return {1, text}
"""


@dataclass(slots=True)
class _Bucket:
    full: float = 0.0  # when all tokens are back, as far as we know: never too late
    line: float = 0.0  # when the last of those who wait was told to come


class Pacing:
    """The buckets as one process sees them. `shared` gives the Redis they are in."""

    def __init__(self, shared: Callable[[], redis.Redis] = lambda: doorbell.redis) -> None:
        self._shared = shared
        self._script: Any = None
        self._buckets: dict[str, _Bucket] = {}
        self._away_until = 0.0

    def take(self, tracker: str, pace: Pace, now: float) -> float | None:
        """Take a token for one request, None; or when one will be there, Unix seconds.

        Those who come too early are told one moment after the other, so that
        they need not be turned away twice.
        """
        name, interval = _name(tracker, pace), 60.0 / pace.per_minute
        bucket = self._bucket(name, now)
        # No bucket is emptier than empty: this clock was set back.
        bucket.full = min(bucket.full, now + pace.burst * interval)
        if _tokens(bucket, pace, now) and self._granted(name, bucket, pace, now):
            return None
        bucket.line = min(max(bucket.line + interval, _there(bucket, pace)), now + LONGEST)
        return bucket.line

    def room(self, tracker: str, pace: Pace, now: float) -> int:
        """How many tokens are there at most, by what this process knows. Asks nobody."""
        bucket = self._buckets.get(_name(tracker, pace))
        return pace.burst if bucket is None else _tokens(bucket, pace, now)

    def next(self, tracker: str, pace: Pace) -> float:
        """When a token will be there, Unix seconds; by what this process knows."""
        bucket = self._buckets.get(_name(tracker, pace))
        return 0.0 if bucket is None else _there(bucket, pace)

    def _granted(self, name: str, bucket: _Bucket, pace: Pace, now: float) -> bool:
        interval = 60.0 / pace.per_minute
        if now >= self._away_until:
            try:
                granted, full = self._ask(name, [now, interval, pace.burst, bucket.full])
            except FAULTS:
                self._away_until = now + AWAY_SECONDS
            else:
                bucket.full = float(full)
                return bool(granted)
        bucket.full = max(bucket.full, now) + interval
        return True

    def _ask(self, name: str, terms: list[Any]) -> Any:
        if self._script is None:
            self._script = self._shared().register_script(_TAKE)
        return self._script(keys=[f"gatepost:pace:{name}"], args=terms)

    def _bucket(self, name: str, now: float) -> _Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= _KEPT:  # those that are full know nothing
                self._buckets = {key: one for key, one in self._buckets.items() if one.full > now}
            bucket = self._buckets[name] = _Bucket()
        return bucket


def _tokens(bucket: _Bucket, pace: Pace, now: float) -> int:
    missing = max(0.0, bucket.full - now - _EPSILON) * pace.per_minute / 60.0
    return max(0, math.floor(pace.burst - missing))


def _there(bucket: _Bucket, pace: Pace) -> float:
    """When the next token is there, if none is."""
    return bucket.full + (1 - pace.burst) * 60.0 / pace.per_minute


def _name(tracker: str, pace: Pace) -> str:
    """A hash: keys are secrets, and Redis is not where secrets are kept."""
    return hashlib.sha256(f"{tracker}|{pace.key}".encode("utf-8", "replace")).hexdigest()
