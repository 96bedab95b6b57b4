"""How fast a tracker may be called, counted over all processes.

Each tracker and key has a token bucket (`app.token_buckets`). Requests that find
it empty get different times to ask again, so that none is turned away twice.

`now` is the caller's clock in Unix seconds, as for everything that is due.
"""

import hashlib
from collections.abc import Callable
from typing import Final

import redis

from app.extensions import wakeup
from app.token_buckets import REMEMBERED, Rate, TokenBuckets, next_token, tokens
from plugins.contract import RateLimit

LONGEST_WAIT: Final = 60.0  # seconds until a request without a token asks again


class RateLimiter:
    """The buckets as one process sees them. `shared` returns the Redis they are in."""

    def __init__(self, shared: Callable[[], redis.Redis] = lambda: wakeup.redis) -> None:
        self._buckets = TokenBuckets("gatepost:pace", shared)
        self._last_turn: dict[str, float] = {}  # the time the last one got

    def acquire(self, tracker: str, limit: RateLimit, now: float) -> float | None:
        """Take a token for one request: None if there was one, else when to ask again."""
        name, rate = _name(tracker, limit), Rate(limit.per_minute, limit.burst)
        wait = self._buckets.take(name, rate, now)
        if not wait:
            return None
        after_others = self._last_turn.get(name, 0.0) + rate.interval
        turn = min(max(after_others, now + wait), now + LONGEST_WAIT)
        if len(self._last_turn) >= REMEMBERED:
            self._last_turn = {key: at for key, at in self._last_turn.items() if at > now}
        self._last_turn[name] = turn
        return turn

    def available(self, tracker: str, limit: RateLimit, now: float) -> int:
        """Return how many tokens there are at most, as far as this process knows."""
        full = self._buckets.full_at(_name(tracker, limit))
        return tokens(full, Rate(limit.per_minute, limit.burst), now)

    def next_at(self, tracker: str, limit: RateLimit) -> float:
        """Return when a token will be there, as far as this process knows."""
        full = self._buckets.full_at(_name(tracker, limit))
        return max(0.0, next_token(full, Rate(limit.per_minute, limit.burst)))


def _name(tracker: str, limit: RateLimit) -> str:
    """A hash: keys are secrets, and Redis is not where secrets are kept."""
    return hashlib.sha256(f"{tracker}|{limit.key}".encode("utf-8", "replace")).hexdigest()
