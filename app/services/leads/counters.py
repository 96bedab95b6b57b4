"""Counters of campaigns, written in the transaction that changes the leads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row

from app.database.direct import Write, execute_all
from app.database.rows import increment_writes
from app.domain.attribution import How, JoinKind, kind_of_join
from app.domain.lead import CounterDelta, Counts, Lead
from app.domain.retention import OLDEST_AGE
from app.domain.telegram.updates import LeadEvent
from app.domain.time_ranges import DAY
from app.models import CampaignCohort, CampaignDay, CampaignQuarter, JoinDay, table_of
from app.services.clicks.invites.arrivals import ByInvite

QUARTER: Final = 900  # seconds; the offset of every time zone is a multiple of it
COUNTERS: Final = ("starts", "holds", "confirms", "unsubs", "kicks", "organic")
QUARTERS: Final = table_of(CampaignQuarter)
DAYS: Final = table_of(CampaignDay)
COHORTS: Final = table_of(CampaignCohort)
JOIN_DAYS: Final = table_of(JoinDay)


@dataclass(slots=True)
class BatchCounts:
    """What a batch adds to counters: deltas, each with the id of its campaign, and joins."""

    deltas: list[tuple[int, CounterDelta]] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)

    def save(self, connection: Connection) -> None:
        """Write all of it. No commit."""
        counts = _counts(connection, self.deltas)
        execute_all(connection, [*counts, *_joins(connection, self.joins)])


def _counts(connection: Connection, deltas: Iterable[tuple[int, CounterDelta]]) -> list[Write]:
    """What adds deltas, each with the id of its campaign, to days, quarters and cohorts."""
    days: defaultdict[tuple[int, int], Counts] = defaultdict(Counts)
    quarters: defaultdict[tuple[int, int], Counts] = defaultdict(Counts)
    cohorts: defaultdict[tuple[int, int, int], int] = defaultdict(int)
    for campaign, delta in deltas:
        days[campaign, delta.date // DAY] += delta.counts
        quarters[campaign, delta.date // QUARTER] += delta.counts
        if delta.joined is not None:
            cohorts[campaign, delta.joined // DAY, _age(delta.joined, delta.date)] += 1
    left = [(*key, number) for key, number in sorted(cohorts.items())]
    keys = ("campaign_id", "join_day", "age_day")
    return [
        *increment_writes(connection, DAYS, ("campaign_id", "day"), COUNTERS, _rows(days)),
        *increment_writes(
            connection, QUARTERS, ("campaign_id", "quarter"), COUNTERS, _rows(quarters)
        ),
        *increment_writes(connection, COHORTS, keys, ("left",), left),
    ]


class Join(NamedTuple):
    """One join, of the moment `date`. `source_id` is 0 where no source is known."""

    campaign_id: int
    source_id: int
    date: int
    kind: JoinKind


def join(
    campaign: Row[Any], event: LeadEvent, lead: Lead | None, by_invite: ByInvite | None
) -> Join:
    """The join of an event, by the lead that it left behind and by what an invite link tells."""
    evidence = event.evidence
    kind = kind_of_join(
        lead.how if lead else How.ORGANIC,
        evidence.arrival(campaign.bot_tg_id),
        is_public=evidence.is_public,
        is_fallback=by_invite is not None and by_invite.is_fallback,
    )
    return Join(campaign.id, (lead and lead.source_id) or 0, event.date, kind)


def _joins(connection: Connection, joins: Iterable[Join]) -> list[Write]:
    """What counts joins by campaign, source, day and kind."""
    counts = Counter(
        (campaign, source, date // DAY, kind) for campaign, source, date, kind in joins
    )
    rows = [(*key, number) for key, number in sorted(counts.items())]
    keys = ("campaign_id", "source_id", "day", "kind")
    return increment_writes(connection, JOIN_DAYS, keys, ("joins",), rows)


def _age(joined: int, left: int) -> int:
    return min(max(left - joined, 0) // DAY, OLDEST_AGE)


def _rows(counts: Mapping[tuple[int, int], Counts]) -> list[tuple[int, ...]]:
    return [
        (*key, *(getattr(number, name) or 0 for name in COUNTERS))
        for key, number in sorted(counts.items())
    ]
