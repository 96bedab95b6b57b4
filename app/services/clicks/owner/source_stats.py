"""What ads brought, by source, by day, or by a parameter of their links.

By source and by day aggregates are read. By a parameter the newest clicks are, so many at the
most: neither costs more in an account of a million clicks than in one of ten thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Select, Subquery, func, select

from app.domain.clicks.link_query import SUBS
from app.domain.lead import State
from app.domain.time_ranges import DAY, YEAR_10000
from app.errors import BadParameter, translatable
from app.extensions import db
from app.models import Campaign, Click, JoinDay, Lead, Source, SourceDay, SourceStatus
from app.services.lists.ownership import check_owned

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366
MOST_ROWS: Final = 1000
#: Clicks that are read at the most, the newest of the range.
COUNTED: Final = 10_000
#: Clicks are stored in the order of their moments, but for so many seconds.
SKEW: Final = 60
#: Where the values of a parameter stand: the column of the click, and the name in it.
_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    **{f"utm_{name}": ("utm", name) for name in ("source", "medium", "campaign", "content")},
    "utm_term": ("utm", "term"),
    **{name: ("ad", name) for name in ("campaign_id", "adset_id", "ad_id", "placement")},
    **{name: ("subs", name) for name in SUBS},
}
GROUPS: Final = ("source", "day", *_PLACES)


@dataclass(slots=True)
class Group:
    """What one source, day or value brought; `staying` is None where it is not counted."""

    key: str
    title: str = ""
    visits: int = 0
    clicks: int = 0
    joins: int = 0
    staying: int | None = None


class Groups(NamedTuple):
    """The groups, and a sentence where not all clicks of the range were read, or ""."""

    rows: Sequence[Group]
    warning: str = ""


class _Range(NamedTuple):
    """Whole UTC days, of one campaign or of one source if those are set."""

    first: int
    last: int
    campaign: int | None
    source: int | None


def listed(
    account_id: int,
    *,
    by: str,
    now: int,
    since: int | None = None,
    until: int | None = None,
    campaign: int | None = None,
    source: int | None = None,
) -> Groups:
    """Return what the ads brought in whole UTC days, the last 30 without a range, by `by`.

    `by` is one of GROUPS. Days in their order, others the most clicked first, 1000 of them at
    the most. Raises NotFound, and BadParameter for an empty range or one of more than 366 days.
    """
    check_owned(account_id, campaign=campaign, source=source)
    asked = _Range(*_days(since, until, now), campaign, source)
    if by == "source":
        return Groups(_by_source(account_id, asked))
    if by == "day":
        return Groups(_by_day(account_id, asked))
    return _by_value(account_id, asked, *_PLACES[by])


def _days(since: int | None, until: int | None, now: int) -> tuple[int, int]:
    last = min(max(0, now if until is None else until), YEAR_10000 - 1) // DAY
    first = max(0, last - DEFAULT_DAYS + 1) if since is None else since // DAY
    if first > last:
        raise BadParameter("from", translatable("must not be after to"))
    if last - first >= MAX_DAYS:
        raise BadParameter("from", translatable("at most %(most)d days at a time", most=MAX_DAYS))
    return first, last


def _sources(account_id: int, asked: _Range) -> list[ColumnElement[bool]]:
    mine: list[ColumnElement[bool]] = [
        Source.account_id == account_id,
        Source.status != SourceStatus.DELETED,
    ]
    if asked.campaign is not None:
        mine.append(Source.campaign_id == asked.campaign)
    if asked.source is not None:
        mine.append(Source.id == asked.source)
    return mine


def _by_source(account_id: int, asked: _Range) -> list[Group]:
    sums = (
        select(
            SourceDay.source_id,
            func.sum(SourceDay.visits).label("visits"),
            func.sum(SourceDay.clicks).label("clicks"),
        )
        .where(SourceDay.day.between(asked.first, asked.last))
        .group_by(SourceDay.source_id)
        .subquery()
    )
    clicks = func.coalesce(sums.c.clicks, 0)
    rows = db.session.execute(
        select(Source.id, Source.title, func.coalesce(sums.c.visits, 0), clicks)
        .outerjoin(sums, sums.c.source_id == Source.id)
        .where(*_sources(account_id, asked))
        .order_by(clicks.desc(), Source.id)
        .limit(MOST_ROWS)
    )
    joins = _joins(account_id, asked, JoinDay.source_id)
    return [
        Group(str(number), title, int(visits), int(clicked), joins.get(number, 0))
        for number, title, visits, clicked in rows
    ]


def _by_day(account_id: int, asked: _Range) -> list[Group]:
    rows = db.session.execute(
        select(SourceDay.day, func.sum(SourceDay.visits), func.sum(SourceDay.clicks))
        .join(Source, Source.id == SourceDay.source_id)
        .where(*_sources(account_id, asked), SourceDay.day.between(asked.first, asked.last))
        .group_by(SourceDay.day)
    )
    counted = {day: (int(visits), int(clicks)) for day, visits, clicks in rows}
    joins = _joins(account_id, asked, JoinDay.day)
    return [
        Group(_date(day * DAY), "", *counted.get(day, (0, 0)), joins.get(day, 0))
        for day in sorted({*counted, *joins})
    ]


def _joins(account_id: int, asked: _Range, key: Any) -> dict[int, int]:
    """Joins that came from the sources, by source or by day."""
    own = select(Source.id).where(*_sources(account_id, asked))
    campaigns = select(Campaign.id).where(Campaign.account_id == account_id)
    rows = db.session.execute(
        select(key, func.sum(JoinDay.joins))
        .where(
            JoinDay.campaign_id.in_(campaigns),
            JoinDay.source_id.in_(own),
            JoinDay.day.between(asked.first, asked.last),
        )
        .group_by(key)
    )
    return {int(group): int(count) for group, count in rows}


def _by_value(account_id: int, asked: _Range, column: str, name: str) -> Groups:
    bounds = _id_bounds(db.session.scalar, asked)
    rows = db.session.execute(_with_leads(account_id, asked, column, *bounds)).all()
    groups: dict[str, Group] = {}
    for row in _within(rows, asked):
        value = orjson.loads(row.values).get(name, "")
        group = groups.setdefault(value, Group(value, staying=0))
        group.visits += bool(row.landing)
        group.clicks += row.pressed is not None
        group.joins += row.join_time is not None
        group.staying = (group.staying or 0) + (row.state == State.APPROVE)
    most_clicked = sorted(groups.values(), key=lambda group: (-group.clicks, group.key))
    return Groups(most_clicked[:MOST_ROWS], _warning(rows))


def _within(rows: Iterable[Any], asked: _Range) -> Iterable[Any]:
    since, end = asked.first * DAY, (asked.last + 1) * DAY
    for row in rows:
        of_campaign = asked.campaign is None or row.campaign_id == asked.campaign
        if of_campaign and since <= row.created < end:
            yield row


def _id_bounds(scalar: Callable[[Any], Any], asked: _Range) -> tuple[int | None, int | None]:
    """The ids of a click before the range and of one behind it, None without one.

    They stand in for the moments, so that neither newer nor older clicks are read.
    """
    older = select(Click.id).where(Click.created < asked.first * DAY - SKEW)
    newer = select(Click.id).where(Click.created >= (asked.last + 1) * DAY + SKEW)
    return (
        scalar(older.order_by(Click.created.desc()).limit(1)),
        scalar(newer.order_by(Click.created).limit(1)),
    )


def _with_leads(
    account_id: int, asked: _Range, column: str, low: int | None, high: int | None
) -> Select[Any]:
    """The newest clicks between two ids, and what became of their leads.

    The leads are looked up one by one: a join reads all of an account's for so many.
    """
    newest = _newest(account_id, asked, column, low, high)
    lead = (Lead.id == newest.c.lead_id, Lead.account_id + 0 == account_id)
    return select(
        newest,
        select(Lead.state).where(*lead).scalar_subquery().label("state"),
        select(Lead.join_time).where(*lead).scalar_subquery().label("join_time"),
    ).order_by(newest.c.id.desc())


def _newest(
    account_id: int, asked: _Range, column: str, low: int | None, high: int | None
) -> Subquery:
    """The newest clicks of an account or of a source between two ids."""
    mine = [Click.account_id == account_id]
    if asked.source is not None:  # `+ 0` keeps the account's index out of the plan
        mine = [Click.source_id == asked.source, Click.account_id + 0 == account_id]
    if low is not None:
        mine.append(Click.id > low)
    if high is not None:
        mine.append(Click.id < high)
    matching = select(
        Click.id, Click.lead_id, Click.campaign_id, Click.created, Click.pressed, Click.landing,
        getattr(Click, column).label("values"),
    ).where(*mine)  # fmt: skip
    return matching.order_by(Click.id.desc()).limit(COUNTED).subquery()


def _warning(rows: Sequence[Any]) -> str:
    if len(rows) < COUNTED:
        return ""
    return translatable(
        "Only the newest %(most)d clicks are counted, back to %(date)s; ask for fewer days, or "
        "for one source",
        most=COUNTED,
        date=_date(rows[-1].created),
    )


def _date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
