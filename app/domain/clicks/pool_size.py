"""How many invite links a chat keeps ready. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

FEWEST: Final = 5
MOST: Final = 200
SPAN: Final = 300  # seconds
LOOKED_BACK: Final = 3600  # seconds
#: So many of the newest clicks tell the busiest span, as far as MOST lets it count: if they
#: do not fill the hour, some span of it has MOST / 2 clicks or more.
NEWEST: Final = MOST // 2 * (LOOKED_BACK // SPAN)


def links_to_keep(clicks: Iterable[int], now: float) -> int:
    """Twice the clicks of the busiest five minutes of the last hour, within FEWEST and MOST.

    `clicks` are their moments, in Unix seconds like `now`.
    """
    ages = (int(now) - moment for moment in clicks)
    spans = Counter(age // SPAN for age in ages if 0 <= age < LOOKED_BACK)
    return min(max(2 * max(spans.values(), default=0), FEWEST), MOST)
