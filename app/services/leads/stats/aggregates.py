"""The counters that are kept of campaigns: of which campaigns, of which times, and their sums.

What this costs grows with days and campaigns, never with leads.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, Table, case, func, null, select, text

from app.domain.lead import Counts
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Campaign
from app.services.leads.counters import COUNTERS, DAYS, QUARTER, QUARTERS
from app.services.lists.scope import Scope

PER_DAY: Final = DAY // QUARTER


class _Piece(NamedTuple):
    """Rows of a table whose key (days or quarters since 1970) is at least `first`, below `last`."""

    table: Table
    key: Any
    first: int
    last: int


def campaigns_of(scope: Scope) -> Select[Any]:
    """Select the ids of the campaigns in a scope, deleted ones too. Raises NotFound."""
    scope.check_owned()
    mine = select(Campaign.id).where(Campaign.account_id == scope.account_id)
    if scope.campaign is not None:
        mine = mine.where(Campaign.id == scope.campaign)
    if scope.bot is not None:
        mine = mine.where(Campaign.bot_id == scope.bot)
    return mine


def of_quarters(mine: Select[Any], first: int, last: int) -> Counts:
    """The counters of quarters with first ≤ quarter < last, of the campaigns `mine`."""
    totals = (_totals(piece, mine).get(None, Counts()) for piece in _pieces(first, last))
    return sum(totals, Counts())


def of_campaigns(mine: Select[Any], first: int, last: int) -> dict[int, Counts]:
    """The same by the id of the campaign."""
    totals: defaultdict[int, Counts] = defaultdict(Counts)
    for piece in _pieces(first, last):
        for number, counts in _totals(piece, mine, "campaign_id").items():
            totals[number] += counts
    return totals


def by_day(mine: Select[Any], first: int, last: int, shift: int) -> dict[int, Counts]:
    """Counters by day from `first` to `last`, in a time zone `shift` quarters east of UTC."""
    if shift:
        table, key = QUARTERS, QUARTERS.c.quarter
        day: Any = (key + shift) // PER_DAY
        bounds = key >= first * PER_DAY - shift, key < (last + 1) * PER_DAY - shift
    else:
        table, key = DAYS, DAYS.c.day
        day, bounds = key, (key >= first, key <= last)
    rows = db.session.execute(
        select(day.label("day"), *_sums(table))
        .where(table.c.campaign_id.in_(mine), *bounds)
        .group_by(text("1"))
    )
    return {int(row[0]): _counts(row[1:]) for row in rows}


def _pieces(first: int, last: int) -> list[_Piece]:
    """Tables and their keys that cover first ≤ quarter < last: whole days are read as such."""
    day, end_day = -(-first // PER_DAY), last // PER_DAY
    quarters, days = (QUARTERS, QUARTERS.c.quarter), (DAYS, DAYS.c.day)
    if day >= end_day:
        return [_Piece(*quarters, first, last)]
    pieces = [
        _Piece(*quarters, first, day * PER_DAY),
        _Piece(*days, day, end_day),
        _Piece(*quarters, end_day * PER_DAY, last),
    ]
    return [piece for piece in pieces if piece.first < piece.last]


def _totals(piece: _Piece, mine: Select[Any], by: str | None = None) -> dict[Any, Counts]:
    """The counters of a piece by the column `by`, or under None all of them."""
    table, key, first, last = piece
    group: Any = null() if by is None else table.c[by]
    sums = select(group, *_sums(table)).where(
        table.c.campaign_id.in_(mine), key >= first, key < last
    )
    rows = db.session.execute(sums if by is None else sums.group_by(group))
    return {row[0]: _counts(row[1:]) for row in rows}


def _sums(table: Table) -> list[Any]:
    """A sum of each counter; NULL where it is not known of all rows."""
    columns = [table.c[name] for name in COUNTERS]
    return [
        case((func.count() == func.count(column), func.coalesce(func.sum(column), 0)))
        for column in columns
    ]


def _counts(sums: Sequence[Any]) -> Counts:
    """A join that was counted by nobody may still be taken off: no sum is below 0."""
    numbers: list[Any] = [None if value is None else max(0, int(value)) for value in sums]
    return Counts(**dict(zip(COUNTERS, numbers, strict=True)))
