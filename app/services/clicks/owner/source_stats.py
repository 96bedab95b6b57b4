"""What ads brought, by source, by day, or by a parameter of their links.

By source and by day aggregates are read. By a parameter the newest clicks are, so many at the
most: neither costs more in an account of a million clicks than in one of ten thousand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select

from app.domain.clicks.link_query import SUBS
from app.domain.lead import State
from app.domain.time_ranges import DAY
from app.errors import translatable
from app.extensions import db
from app.models import Campaign, Click, JoinDay, Lead, Source, SourceDay
from app.services.lists.scope import Scope

MOST_ROWS: Final = 1000
#: Clicks that are read at the most, the newest of the range.
COUNTED: Final = 10_000
#: A click may get a higher id than one that began later, by at most so many seconds.
SKEW: Final = 60
#: Where the values of a parameter stand: the column of the click, and the name in it.
_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    **{f"utm_{name}": ("utm", name) for name in ("source", "medium", "campaign", "content")},
    "utm_term": ("utm", "term"),
    **{name: ("ad", name) for name in ("campaign_id", "adset_id", "ad_id", "placement")},
    **{name: ("subs", name) for name in SUBS},
}
GROUPS: Final = ("source", "day", *_PLACES)
#: What became of a lead, as one number: the sum of these.
_JOINED: Final = 1
_STAYS: Final = 2
#: The first and the last UTC day of a range.
_Days = tuple[int, int]


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


def listed(scope: Scope, *, by: str) -> Groups:
    """Return what the ads brought in whole UTC days, the last 30 without a range, by `by`.

    `by` is one of GROUPS. Days in their order, others the most clicked first, 1000 of them at
    the most. Raises NotFound, and BadParameter for an empty range or one of more than 366 days.
    """
    scope.check_owned()
    days = scope.days()
    if by == "source":
        return Groups(_by_source(scope, days))
    if by == "day":
        return Groups(_by_day(scope, days))
    return _by_value(scope, days, *_PLACES[by])


def _sources(scope: Scope) -> list[ColumnElement[bool]]:
    mine: list[Any] = [Source.account_id == scope.account_id, Source.living]
    if scope.campaign is not None:
        mine.append(Source.campaign_id == scope.campaign)
    if scope.source is not None:
        mine.append(Source.id == scope.source)
    return mine


def day_sums(days: _Days, *counters: str) -> Subquery:
    """Some of the counters of each source, summed over days; rows have `source_id`."""
    row = SourceDay.__table__.c
    sums = (func.sum(row[name]).label(name) for name in counters)
    counted = select(SourceDay.source_id, *sums).where(SourceDay.day.between(*days))
    return counted.group_by(SourceDay.source_id).subquery()


def _by_source(scope: Scope, days: _Days) -> list[Group]:
    sums = day_sums(days, "visits", "clicks")
    clicks = func.coalesce(sums.c.clicks, 0)
    rows = db.session.execute(
        select(Source.id, Source.title, func.coalesce(sums.c.visits, 0), clicks)
        .outerjoin(sums, sums.c.source_id == Source.id)
        .where(*_sources(scope))
        .order_by(clicks.desc(), Source.id)
        .limit(MOST_ROWS)
    )
    joins = _joins(scope, days, JoinDay.source_id)
    return [
        Group(str(number), title, int(visits), int(clicked), joins.get(number, 0))
        for number, title, visits, clicked in rows
    ]


def _by_day(scope: Scope, days: _Days) -> list[Group]:
    rows = db.session.execute(
        select(SourceDay.day, func.sum(SourceDay.visits), func.sum(SourceDay.clicks))
        .join(Source, Source.id == SourceDay.source_id)
        .where(*_sources(scope), SourceDay.day.between(*days))
        .group_by(SourceDay.day)
    )
    counted = {day: (int(visits), int(clicks)) for day, visits, clicks in rows}
    joins = _joins(scope, days, JoinDay.day)
    return [
        Group(_date(day * DAY), "", *counted.get(day, (0, 0)), joins.get(day, 0))
        for day in sorted({*counted, *joins})
    ]


def _joins(scope: Scope, days: _Days, key: Any) -> dict[int, int]:
    """Joins that came from the sources, by source or by day."""
    own = select(Source.id).where(*_sources(scope))
    campaigns = select(Campaign.id).where(Campaign.account_id == scope.account_id)
    rows = db.session.execute(
        select(key, func.sum(JoinDay.joins))
        .where(
            JoinDay.campaign_id.in_(campaigns),
            JoinDay.source_id.in_(own),
            JoinDay.day.between(*days),
        )
        .group_by(key)
    )
    return {int(group): int(count) for group, count in rows}


def _by_value(scope: Scope, days: _Days, column: str, name: str) -> Groups:
    bounds = _id_bounds(db.session.scalar, days)
    texts = db.session.execute(_by_text(scope, days, column, *bounds)).all()
    groups: dict[str, Group] = {}
    for row in texts:
        if row.number:
            value = orjson.loads(row.values).get(name, "")
            group = groups.setdefault(value, Group(value, staying=0))
            group.visits += row.visits
            group.clicks += row.clicks
            group.joins += row.joins
            group.staying = (group.staying or 0) + row.staying
    most_clicked = sorted(groups.values(), key=lambda group: (-group.clicks, group.key))
    return Groups(most_clicked[:MOST_ROWS], _warning(texts))


def _id_bounds(scalar: Callable[[Any], Any], days: _Days) -> tuple[int | None, int | None]:
    """The ids of a click before the range and of one behind it, None without one.

    They stand in for the moments, so that neither newer nor older clicks are read.
    """
    older = select(Click.id).where(Click.created < days[0] * DAY - SKEW)
    newer = select(Click.id).where(Click.created >= (days[1] + 1) * DAY + SKEW)
    return (
        scalar(older.order_by(Click.created.desc()).limit(1)),
        scalar(newer.order_by(Click.created).limit(1)),
    )


def _by_text(
    scope: Scope, days: _Days, column: str, low: int | None, high: int | None
) -> Select[Any]:
    """Sum up the newest clicks between two ids by the text of their parameters.

    What became of the leads is looked up one by one, both answers at once: a join reads all of
    an account's for so many. `number` are the clicks of the range, `seen` are all.
    """
    newest = _newest(scope, column, low, high)
    came = case((Lead.join_time.is_not(None), _JOINED), else_=0)
    stays = case((Lead.state == State.APPROVE, _STAYS), else_=0)
    lead = select(came + stays).where(
        Lead.id == newest.c.lead_id, Lead.account_id + 0 == scope.account_id
    )
    became = func.coalesce(lead.scalar_subquery(), 0).label("became")
    each = select(newest, became).limit(COUNTED).subquery()  # the limit has it asked once a click
    created = each.c.created
    is_meant = (created >= days[0] * DAY) & (created < (days[1] + 1) * DAY)
    if scope.campaign is not None:
        is_meant &= each.c.campaign_id == scope.campaign

    def number(*conditions: ColumnElement[bool]) -> Any:
        return func.sum(case((and_(is_meant, *conditions), 1), else_=0))

    return select(
        each.c["values"],
        number().label("number"),
        number(each.c.landing != "").label("visits"),
        number(each.c.pressed.is_not(None)).label("clicks"),
        number(each.c.became % _STAYS == _JOINED).label("joins"),
        number(each.c.became >= _STAYS).label("staying"),
        func.count().label("seen"),
        func.min(created).label("oldest"),
    ).group_by(each.c["values"])


def _newest(scope: Scope, column: str, low: int | None, high: int | None) -> Subquery:
    """The newest clicks of an account or of a source between two ids."""
    mine = [Click.account_id == scope.account_id]
    if scope.source is not None:  # `+ 0` keeps the account's index out of the plan
        mine = [Click.source_id == scope.source, Click.account_id + 0 == scope.account_id]
    if low is not None:
        mine.append(Click.id > low)
    if high is not None:
        mine.append(Click.id < high)
    matching = select(
        Click.id, Click.lead_id, Click.campaign_id, Click.created, Click.pressed, Click.landing,
        getattr(Click, column).label("values"),
    ).where(*mine)  # fmt: skip
    return matching.order_by(Click.id.desc()).limit(COUNTED).subquery()


def _warning(texts: Sequence[Any]) -> str:
    if sum(row.seen for row in texts) < COUNTED:
        return ""
    return translatable(
        "Only the newest %(most)d clicks are counted, back to %(date)s; ask for fewer days, or "
        "for one source",
        most=COUNTED,
        date=_date(min(row.oldest for row in texts)),
    )


def _date(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
