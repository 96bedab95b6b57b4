"""How a customer's trackers have fared of late, from the counts that the database keeps.

Their cost grows with trackers, campaigns and days, never with postbacks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.retention import percent
from app.domain.time_ranges import DAY
from app.models import PostbackState, PostbackTally, table_of
from app.services.lists import row_counts

#: Today and the days before it, in UTC, by the creation of the postbacks.
DAYS: Final = 7
_UNDELIVERED: Final = (PostbackState.REJECTED, PostbackState.FAILED)


@dataclass(slots=True)
class DeliveryRate:
    """Postbacks that ended; `last_success` is the day (Unix seconds) of the newest delivered one.

    0 stands for none.
    """

    delivered: int = 0
    undelivered: int = 0
    last_success: int = 0

    @property
    def rate(self) -> float | None:
        """Delivered ones per 100 that ended; None without any."""
        return percent(self.delivered, self.delivered + self.undelivered)


def of_trackers(account_id: int, now: int) -> Mapping[int, DeliveryRate]:
    """Return how each destination of the account has fared, by its id; others are all zeros."""
    since = (now // DAY - DAYS + 1) * DAY
    counts = row_counts.days(
        table_of(PostbackTally), account_id, ("destination_id", "state"), since
    )
    rates: defaultdict[int, DeliveryRate] = defaultdict(DeliveryRate)
    for (destination, state, day), number in counts.items():
        if state == PostbackState.DELIVERED and number:
            rates[destination].delivered += number
            rates[destination].last_success = max(rates[destination].last_success, day)
        elif state in _UNDELIVERED:
            rates[destination].undelivered += number
    return rates
