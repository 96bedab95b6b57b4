"""The scope of a statistic: whose numbers it adds up, and those of which time."""

from dataclasses import dataclass
from typing import Final

from app.domain.time_ranges import DAY, YEAR_10000
from app.errors import BadParameter, translatable
from app.services.lists.ownership import check_owned

#: Days that a statistic covers if nobody says how many.
DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose numbers, and those of which time, as somebody asked at `now`.

    `since` and `until` are Unix seconds and belong to the range; None leaves the end open.
    `campaign`, `bot` and `source` are ids that narrow it; None narrows nothing.
    """

    account_id: int
    now: int
    since: int | None = None
    until: int | None = None
    campaign: int | None = None
    bot: int | None = None
    source: int | None = None

    def check_owned(self) -> None:
        """Check that the ids belong to the account. Raises NotFound."""
        check_owned(self.account_id, campaign=self.campaign, bot=self.bot, source=self.source)

    def seconds(self) -> tuple[int, int]:
        """Return both ends, the last 30 days without any. Raises BadParameter for no second."""
        until = min(self.now if self.until is None else self.until, YEAR_10000 - 1)
        since = max(0, until - (DEFAULT_DAYS - 1) * DAY if self.since is None else self.since)
        if until < since:
            raise BadParameter("from", translatable("must not be after to"))
        return since, until

    def days(self, default: int = DEFAULT_DAYS) -> tuple[int, int]:
        """Return the first and the last UTC day, the last `default` days without any.

        Raises BadParameter for no day, and for more than 366.
        """
        last = min(max(0, self.now if self.until is None else self.until), YEAR_10000 - 1) // DAY
        first = max(0, last - default + 1) if self.since is None else self.since // DAY
        if first > last:
            raise BadParameter("from", translatable("must not be after to"))
        return check_days(first, last)


def check_days(first: int, last: int) -> tuple[int, int]:
    """Return both days. Raises BadParameter for more than 366 of them."""
    if last - first >= MAX_DAYS:
        raise BadParameter("from", translatable("at most %(most)d days at a time", most=MAX_DAYS))
    return first, last
