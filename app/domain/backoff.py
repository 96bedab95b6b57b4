"""When to try again, and when to stop. Time and random numbers come in as arguments."""

from typing import Final

#: Seconds before each try, the first one at once; about 45 hours in all.
SCHEDULE: Final = (0, 5, 60, 300, 1_800, 7_200, 21_600, 43_200, 86_400)

JITTER: Final = 0.2
LONGEST_HINT: Final = 3_600.0  #: seconds; or twice the scheduled wait, if that is longer

BREAKER_FAILURES: Final = 10  #: consecutive failures of a destination
_BLOCK_FIRST: Final = 30.0
_BLOCK_LONGEST: Final = 600.0


def next_try(
    tries: int,
    now: float,
    first_try: float,
    *,
    chance: float,
    hint: float | None = None,
    span: float | None = None,
) -> float | None:
    """Return the Unix time of the next try, or None to give up.

    `tries` counts the attempts made, at least 1. `chance` in [0, 1) spreads
    the wait by ±20 %, so that rows that failed together do not return
    together. `hint` is the tracker's Retry-After in seconds: it can stretch
    the wait, within reason, but not shorten it. `span`, in seconds from
    `first_try`, is for trackers that forget an idempotency key: a try after
    that could count twice.
    """
    if tries >= len(SCHEDULE):
        return None
    scheduled = SCHEDULE[tries]
    wait = scheduled * (1 - JITTER + 2 * JITTER * chance)
    if hint is not None:
        wait = min(max(wait, hint), max(2 * scheduled, LONGEST_HINT))
    again = now + wait
    return None if span is not None and again > first_try + span else again


def block_seconds(failures: int) -> float:
    """Return for how many seconds a destination is left alone after `failures` in a row.

    0 below ten; then 30 s, doubled by each further failure up to 10 min.
    """
    if failures < BREAKER_FAILURES:
        return 0.0
    doublings = min(failures - BREAKER_FAILURES, 16)  # a float holds no 2**failures
    return min(_BLOCK_FIRST * 2.0**doublings, _BLOCK_LONGEST)
