"""The counters of a range, of its days, and of its campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.domain.lead import Counts
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Campaign
from app.services.leads.counters import QUARTER
from app.services.leads.stats.aggregates import by_day, campaigns_of, of_campaigns, of_quarters
from app.services.lists.scope import Scope, check_days


@dataclass(frozen=True, slots=True)
class RangeCounts:
    """The counters of a range in Unix seconds, which includes both ends."""

    since: int
    until: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Summary(RangeCounts):
    """The counters of a range, and of the range of the same length before it."""

    before: RangeCounts


@dataclass(frozen=True, slots=True)
class Day:
    """The counters of one day; `start` is 00:00 of that day as if it were UTC."""

    start: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    """The counters of one campaign in some range."""

    campaign: int
    title: str
    counts: Counts


def summary(scope: Scope) -> Summary:
    """The counters of a range and of the range before it, rounded to quarters of an hour.

    Raises NotFound for a campaign or bot of another account, BadParameter for an empty range.
    """
    mine = campaigns_of(scope)
    since, until = scope.seconds()
    first, last = since // QUARTER, until // QUARTER + 1
    before = max(0, first - (last - first))
    return Summary(
        first * QUARTER,
        last * QUARTER - 1,
        of_quarters(mine, first, last),
        RangeCounts(before * QUARTER, first * QUARTER - 1, of_quarters(mine, before, first)),
    )


def daily(scope: Scope, *, tz: int = 0) -> Sequence[Day]:
    """The counters of each day of a range, also of empty ones. `tz` is in minutes east of UTC.

    Raises as `summary`, and BadParameter for a range of more than 366 days.
    """
    mine = campaigns_of(scope)
    shift = tz * 60
    since, until = scope.seconds()
    first, last = check_days((since + shift) // DAY, (until + shift) // DAY)
    counts = by_day(mine, first, last, shift // QUARTER)
    return [Day(day * DAY, counts.get(day, Counts())) for day in range(first, last + 1)]


def by_campaign(scope: Scope) -> list[CampaignCounts]:
    """The counters of a range by living campaign, those that brought most first.

    Rounded, and raises, as `summary`.
    """
    mine = campaigns_of(scope)
    since, until = scope.seconds()
    totals = of_campaigns(mine, since // QUARTER, until // QUARTER + 1)
    titles = select(Campaign.id, Campaign.chat_title).where(Campaign.id.in_(mine), Campaign.living)
    rows = [
        CampaignCounts(number, title, totals.get(number, Counts()))
        for number, title in db.session.execute(titles)
    ]
    return sorted(rows, key=lambda row: (-row.counts.confirms, -row.campaign))
