"""Time ranges split into whole days, whole hours and the seconds at the edges."""

from collections.abc import Iterator
from typing import Final, NamedTuple

HOUR: Final = 3600
DAY: Final = 24 * HOUR
#: 1 January 10000 in Unix seconds: the first date that has no four-digit year.
YEAR_10000: Final = 253_402_300_800


class TimeRange(NamedTuple):
    """From `since` up to, not including, `until` (Unix seconds; None is open).

    Its ends are multiples of `unit`, which is DAY, HOUR or 1.
    """

    unit: int
    since: int | None
    until: int | None


def split(since: int | None, until: int | None) -> Iterator[TimeRange]:
    """Split a range into ranges of the largest units that fit, newest first.

    They touch and do not overlap. An empty range gives none.
    """
    yield from _split((DAY, HOUR, 1), since, until)


def _split(units: tuple[int, ...], since: int | None, until: int | None) -> Iterator[TimeRange]:
    if since is not None and until is not None and since >= until:
        return
    unit, *smaller = units
    first = None if since is None else -(-since // unit) * unit
    last = None if until is None else until // unit * unit
    if first is not None and last is not None and first > last:  # within one unit
        yield from _split(tuple(smaller), since, until)
        return
    if last != until:
        yield from _split(tuple(smaller), last, until)
    if first is None or last is None or first < last:
        yield TimeRange(unit, first, last)
    if first != since:
        yield from _split(tuple(smaller), since, first)


def in_words(seconds: int) -> str:
    """Seconds in words and to the second, so that two different spans never look equal: 7 d 1 s."""
    words = []
    for unit, size in (("d", DAY), ("h", HOUR), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            words.append(f"{count} {unit}")
    return " ".join(words) or "0 s"
