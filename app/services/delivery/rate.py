"""How fast a tracker may be called, counted over all processes.

Each tracker and key has a token bucket (`app.token_buckets`). Who finds it empty
gets the time at which to come again, one after the other, so that nobody
need be turned away twice.

`now` is the caller's clock, as for everything that is due.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

import redis

from app.extensions import doorbell
from app.token_buckets import REMEMBERED, Rate, TokenBuckets, next_token, tokens
from plugins.contract import Pace

LONGEST: Final = 60.0  # seconds until someone without a token asks again


class Pacing:
    """The buckets as one process sees them. `shared` returns the Redis they are in."""

    def __init__(self, shared: Callable[[], redis.Redis] = lambda: doorbell.redis) -> None:
        self._buckets = TokenBuckets("gatepost:pace", shared)
        self._last_turn: dict[str, float] = {}  # when the last of those who wait was told to come

    def take(self, tracker: str, pace: Pace, now: float) -> float | None:
        """Take a token for one request: None if there was one, else Unix seconds to come again."""
        name, rate = _name(tracker, pace), Rate(pace.per_minute, pace.burst)
        wait = self._buckets.take(name, rate, now)
        if not wait:
            return None
        after_others = self._last_turn.get(name, 0.0) + rate.interval
        turn = min(max(after_others, now + wait), now + LONGEST)
        if len(self._last_turn) >= REMEMBERED:
            self._last_turn = {key: at for key, at in self._last_turn.items() if at > now}
        self._last_turn[name] = turn
        return turn

    def room(self, tracker: str, pace: Pace, now: float) -> int:
        """How many tokens there are at most, as far as this process knows. It asks nobody."""
        full = self._buckets.full_at(_name(tracker, pace))
        return tokens(full, Rate(pace.per_minute, pace.burst), now)

    def next(self, tracker: str, pace: Pace) -> float:
        """When a token will be there, Unix seconds, as far as this process knows."""
        full = self._buckets.full_at(_name(tracker, pace))
        return max(0.0, next_token(full, Rate(pace.per_minute, pace.burst)))


def _name(tracker: str, pace: Pace) -> str:
    """A hash: keys are secrets, and Redis is not where secrets are kept."""
    return hashlib.sha256(f"{tracker}|{pace.key}".encode("utf-8", "replace")).hexdigest()
