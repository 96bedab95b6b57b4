"""Counters of campaigns, written in the transaction that changes the leads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection

from app.database.rows import increment_rows
from app.domain.lead import CounterDelta, Counts
from app.domain.retention import OLDEST_AGE
from app.domain.time_ranges import DAY
from app.models import CampaignCohort, CampaignDay, CampaignQuarter, table_of

QUARTER: Final = 900  # seconds; the offset of every time zone is a multiple of it
COUNTERS: Final = ("starts", "holds", "confirms", "unsubs")
QUARTERS: Final = table_of(CampaignQuarter)
DAYS: Final = table_of(CampaignDay)
COHORTS: Final = table_of(CampaignCohort)


def count(connection: Connection, deltas: Iterable[tuple[int, CounterDelta]]) -> None:
    """Add deltas, each with the id of its campaign, to days, quarters and cohorts. No commit."""
    days: defaultdict[tuple[int, int], Counts] = defaultdict(Counts)
    quarters: defaultdict[tuple[int, int], Counts] = defaultdict(Counts)
    cohorts: defaultdict[tuple[int, int, int], int] = defaultdict(int)
    for campaign, delta in deltas:
        days[campaign, delta.date // DAY] += delta.counts
        quarters[campaign, delta.date // QUARTER] += delta.counts
        if delta.joined is not None:
            cohorts[campaign, delta.joined // DAY, _age(delta.joined, delta.date)] += 1
    increment_rows(connection, DAYS, ("campaign_id", "day"), COUNTERS, _rows(days))
    increment_rows(connection, QUARTERS, ("campaign_id", "quarter"), COUNTERS, _rows(quarters))
    left = [(*key, number) for key, number in sorted(cohorts.items())]
    keys = ("campaign_id", "join_day", "age_day")
    increment_rows(connection, COHORTS, keys, ("left",), left)


def _age(joined: int, left: int) -> int:
    return min(max(left - joined, 0) // DAY, OLDEST_AGE)


def _rows(counts: Mapping[tuple[int, int], Counts]) -> list[tuple[int, ...]]:
    return [
        (*key, number.starts, number.holds, number.confirms, number.unsubs)
        for key, number in sorted(counts.items())
    ]
