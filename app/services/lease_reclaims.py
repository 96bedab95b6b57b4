"""Lease reclaims: how many rows were taken over from workers that died or stood still with them.

Counted over all processes, in Redis. What it forgets begins again at 0, as counters may.
"""

from typing import Final

from app.extensions import wakeup

POSTBACKS: Final = "postbacks"
MESSAGES: Final = "messages"
REQUESTS: Final = "requests"
KINDS: Final = (POSTBACKS, MESSAGES, REQUESTS)

_KEY: Final = "gatepost:lease-reclaims"


def record(kind: str, number: int) -> None:
    """Count `number` more; a Redis that is away counts nothing."""
    if number > 0:
        wakeup.count(_KEY, kind, number)


def totals() -> dict[str, int]:
    """Return how many there were of each kind. Raises what redis-py raises."""
    counts = wakeup.redis.hmget(_KEY, KINDS)
    return {kind: int(count or 0) for kind, count in zip(KINDS, counts, strict=True)}
