"""How a customer's trackers have fared of late, from the counts that the database keeps.

Their cost grows with the trackers that are asked about and with days, never with postbacks.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, text

from app.domain.retention import percent
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import PostbackState, PostbackTally, table_of
from app.services.lists import row_counts

#: Today and the days before it, in UTC, by the creation of the postbacks.
DAYS: Final = 7
_UNDELIVERED: Final = (PostbackState.REJECTED, PostbackState.FAILED)
#: The newest postbacks of a tracker, among which the moment of the last success is looked for.
NEWEST: Final = 100
_LAST_SUCCESS: Final = text("""
    SELECT d.id,
      (SELECT max(newest.settled) FROM
        (SELECT p.state, p.settled FROM postback p
         WHERE p.destination_id = d.id AND p.account_id = d.account_id
         ORDER BY p.created DESC, p.id DESC LIMIT :newest) AS newest
       WHERE newest.state = :delivered) AS settled
    FROM destination d WHERE d.account_id = :account AND d.id IN :ids
""").bindparams(bindparam("ids", expanding=True))


@dataclass(slots=True)
class DeliveryRate:
    """Postbacks that ended; `last_success` is the day (Unix seconds) of the newest delivered one.

    `last_success_time` is the moment of the last delivery among the NEWEST postbacks. 0 stands
    for none.
    """

    delivered: int = 0
    undelivered: int = 0
    last_success: int = 0
    last_success_time: float = 0.0

    @property
    def rate(self) -> float | None:
        """Delivered ones per 100 that ended; None without any."""
        return percent(self.delivered, self.delivered + self.undelivered)


def of_trackers(
    account_id: int, destinations: Collection[int], now: int
) -> Mapping[int, DeliveryRate]:
    """Return how these of the account's destinations have fared, by id; others are all zeros."""
    since = (now // DAY - DAYS + 1) * DAY
    tally = table_of(PostbackTally)
    counts = row_counts.days(
        tally, account_id, ("destination_id", "state"), since,
        tally.c.destination_id.in_(destinations),
    )  # fmt: skip
    rates: defaultdict[int, DeliveryRate] = defaultdict(DeliveryRate)
    for (destination, state, day), number in counts.items():
        if state == PostbackState.DELIVERED and number:
            rates[destination].delivered += number
            rates[destination].last_success = max(rates[destination].last_success, day)
        elif state in _UNDELIVERED:
            rates[destination].undelivered += number
    if fared := [number for number, rate in rates.items() if rate.delivered]:
        asked = {"account": account_id, "ids": fared, "newest": NEWEST}
        asked["delivered"] = int(PostbackState.DELIVERED)
        for destination, settled in db.session.execute(_LAST_SUCCESS, asked):
            rates[destination].last_success_time = settled or 0.0
    return rates
