"""How many rows of a long list there are, without counting them one by one.

Whole days and hours are read from the tallies that the database keeps; only
the seconds at the edges of a range are counted row by row.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    bindparam,
    delete,
    func,
    literal,
    literal_column,
    select,
    text,
    tuple_,
    union_all,
)

from app.database.advisory_locks import AdvisoryLock, try_lock
from app.database.direct import fetch
from app.database.rows import increment_rows, rows_table, write_rows
from app.domain.time_ranges import DAY, HOUR, TimeRange, split
from app.extensions import db
from app.models import JournalTally, LeadTally, PostbackTally, Span, table_of

#: Deltas that are added up in one transaction.
AT_ONCE: Final = 5000
_SPANS: Final = {HOUR: Span.HOUR, DAY: Span.DAY}
_OWN: Final = ("id", "span", "start", "number")
TALLIES: Final = tuple(table_of(model) for model in (LeadTally, JournalTally, PostbackTally))


@dataclass(frozen=True, slots=True)
class CountQuery:
    """The rows of `table` whose columns have the values of `filters`.

    `time` names the column (Unix seconds) by which `tally` sorts them into
    hours; the names in `filters` are columns of both tables.
    """

    table: Table
    tally: Table
    time: str
    filters: Mapping[str, Any]

    def rows(self, since: float | None, until: float | None) -> list[ColumnElement[bool]]:
        """Which rows are meant, from `since` up to, not including, `until`."""
        return _same(self.table, self.filters) + _within(self.table.c[self.time], since, until)

    def tallied(self, since: float | None, until: float | None) -> list[ColumnElement[bool]]:
        """Which tallies are meant, of any span."""
        return _same(self.tally, self.filters) + _within(self.tally.c.start, since, until)


class Bucket(NamedTuple):
    """So many of the rows are from `since` up to, not including, `until`."""

    since: int
    until: int
    number: int


def total(counted: CountQuery, since: int | None, until: int | None) -> int:
    """How many rows there are from `since` up to, not including, `until`."""
    if since is None and until is None:
        parts = [_sum(counted, (Span.TOTAL, Span.DELTA), None, None)]
    else:
        parts = [_part(counted, piece) for piece in split(since, until)]
    if not parts:
        return 0
    return int(db.session.scalar(select(sum(parts[1:], parts[0]))) or 0)


def _part(counted: CountQuery, piece: TimeRange) -> ColumnElement[int]:
    since, until = piece.since, piece.until
    if piece.unit in _SPANS:
        return _sum(counted, (_SPANS[piece.unit], Span.DELTA), since, until)
    rows = select(func.count()).select_from(counted.table).where(*counted.rows(since, until))
    return rows.scalar_subquery()


def _sum(
    counted: CountQuery, spans: tuple[Span, ...], since: int | None, until: int | None
) -> ColumnElement[int]:
    """One sum for each span: an OR of two spans would use neither index well."""
    sums = [
        select(func.coalesce(func.sum(counted.tally.c.number), 0))
        .where(_is_of(counted.tally, span), *counted.tallied(since, until))
        .scalar_subquery()
        for span in spans
    ]
    return sum(sums[1:], sums[0])


def by_value(counted: CountQuery, name: str, since: int | None, until: int | None) -> Counter[Any]:
    """How many rows of a range there are for each value of the column `name`."""
    numbers: Counter[Any] = Counter()
    if parts := list(_by_value(counted, name, since, until)):
        for value, number in db.session.execute(union_all(*parts)):
            numbers[value] += int(number)
    return numbers


def _by_value(
    counted: CountQuery, name: str, since: int | None, until: int | None
) -> Iterator[Select[*tuple[Any, ...]]]:
    ever = since is None and until is None
    for piece in [None] if ever else split(since, until):
        if piece is None or piece.unit in _SPANS:
            column, number = counted.tally.c[name], func.sum(counted.tally.c.number)
            start, end = (piece.since, piece.until) if piece else (None, None)
            for span in (_SPANS[piece.unit] if piece else Span.TOTAL, Span.DELTA):
                where = _is_of(counted.tally, span), *counted.tallied(start, end)
                yield select(column, number).where(*where).group_by(column)
        else:
            column = counted.table.c[name]
            rows = select(column, func.count()).where(*counted.rows(piece.since, piece.until))
            yield rows.group_by(column)


def count(counted: CountQuery, conditions: Sequence[ColumnElement[bool]]) -> int:
    """How many rows there are, counted one by one."""
    rows = select(func.count()).select_from(counted.table).where(*conditions)
    return int(db.session.scalar(rows) or 0)


def buckets(counted: CountQuery, since: int | None, until: int | None) -> list[Bucket]:
    """The rows of a range in buckets of a day or less, newest first; no empty ones."""
    return _merged_buckets(
        [part for piece in split(since, until) for part in _bucket_statements(counted, piece)]
    )


def hours(counted: CountQuery, since: int, until: int) -> list[Bucket]:
    """The rows of a range of whole hours by the hour, newest first; no empty ones."""
    return _merged_buckets(list(_bucket_statements(counted, TimeRange(HOUR, since, until))))


def days(
    tally: Table,
    account_id: int,
    names: Sequence[str],
    since: int,
    *chosen: ColumnElement[bool],
) -> Counter[tuple[Any, ...]]:
    """The `chosen` rows of an account by the columns `names` and the UTC day, from `since` on."""
    columns = [tally.c[name] for name in (*names, "start")]
    mine = [tally.c.account_id == account_id, tally.c.start >= since, *chosen]
    numbers: Counter[tuple[Any, ...]] = Counter()
    for span in (Span.DAY, Span.DELTA):
        sums = select(*columns, func.sum(tally.c.number)).where(_is_of(tally, span), *mine)
        for *place, start, number in db.session.execute(sums.group_by(*columns)):
            numbers[(*place, start // DAY * DAY)] += int(number)
    return numbers


def _bucket_statements(counted: CountQuery, piece: TimeRange) -> Iterator[Select[*tuple[Any, ...]]]:
    """Statements of (since, length, number)."""
    unit, since, until = piece
    if unit in _SPANS:
        for span in (_SPANS[unit], Span.DELTA):
            # A delta begins with its hour, also where days are read.
            start = counted.tally.c.start
            begin = start // unit * unit if span == Span.DELTA else start
            yield (
                select(begin.label("since"), literal(unit), func.sum(counted.tally.c.number))
                .where(_is_of(counted.tally, span), *counted.tallied(since, until))
                .group_by(text("1"))
            )
    elif since is not None and until is not None:
        rows = select(literal(since), literal(until - since), func.count())
        yield rows.select_from(counted.table).where(*counted.rows(since, until))


def _merged_buckets(parts: Sequence[Select[*tuple[Any, ...]]]) -> list[Bucket]:
    if not parts:
        return []
    numbers: Counter[tuple[int, int]] = Counter()
    for since, length, number in db.session.execute(union_all(*parts)):
        numbers[int(since), int(length)] += int(number)
    positive = ((*place, number) for place, number in numbers.items() if number > 0)
    return sorted((Bucket(since, since + length, number) for since, length, number in positive))[
        ::-1
    ]


def _same(table: Table, filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """The state goes into the text: a partial index is used only where it is seen."""
    return [
        table.c[name] == bindparam(name, value, literal_execute=name == "state", unique=True)
        for name, value in filters.items()
    ]


def _within(
    column: ColumnElement[Any], since: float | None, until: float | None
) -> list[ColumnElement[bool]]:
    ends = [] if since is None else [column >= since]
    return ends if until is None else [*ends, column < until]


def _is_of(tally: Table, span: Span) -> ColumnElement[bool]:
    """Written as text: a partial index is used only where the planner sees the value."""
    is_sum = f" AND {tally.name}.span > 0" if span else ""
    return literal_column(f"{tally.name}.span = {span:d}{is_sum}", Boolean)


def compact(seconds: float = math.inf) -> int:
    """Add the deltas up to hours, days and totals. Returns how many they were. Commits.

    Ends after about so many seconds, or when another process is at it already:
    deltas that stay are counted all the same, and added up by the next call.
    """
    end = time.monotonic() + seconds
    return sum(_compact(tally, end) for tally in TALLIES)


def _compact(tally: Table, end: float) -> int:
    added = 0
    while True:
        connection = db.session.connection()
        if not try_lock(connection, AdvisoryLock.COMPACT_ROW_COUNTS):
            db.session.rollback()
            return added
        deltas = fetch(connection, _deltas(tally), {"most": AT_ONCE})
        if deltas:
            _add_up(connection, tally, deltas)
        db.session.commit()
        added += len(deltas)
        if len(deltas) < AT_ONCE or time.monotonic() >= end:
            return added


@cache
def _deltas(tally: Table) -> Select[Any]:
    deltas = select(tally).where(_is_of(tally, Span.DELTA)).order_by("account_id", "id")
    return deltas.limit(bindparam("most", type_=Integer))


def _add_up(connection: Connection, tally: Table, deltas: Sequence[Any]) -> None:
    names = [column.name for column in tally.c if column.name not in _OWN]
    sums: defaultdict[tuple[Any, ...], int] = defaultdict(int)
    for row in deltas:
        place = tuple(getattr(row, name) for name in names)
        for span, length in ((Span.HOUR, HOUR), (Span.DAY, DAY)):
            sums[(*place, int(span), row.start // length * length)] += row.number
        sums[(*place, int(Span.TOTAL), 0)] += row.number
    keys = (*names, "span", "start")
    rows = [(*place, number) for place, number in sorted(sums.items()) if number]
    increment_rows(connection, tally, keys, ("number",), rows, where="span > 0")
    _remove(connection, tally, ("id",), [(row.id,) for row in deltas], "span = 0")
    shrunk = [tuple(place) for *place, number in rows if number < 0]
    _remove(connection, tally, keys, shrunk, "span > 0 AND number = 0")


def _remove(
    connection: Connection,
    tally: Table,
    keys: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    where: str,
) -> None:
    """Delete the tallies of these keys for which `where` is true."""
    if rows:
        write_rows(connection, lambda flag: _deletion(flag, tally, keys, where), keys, rows)


@lru_cache(maxsize=8)
def _deletion(postgresql_: bool, tally: Table, keys: tuple[str, ...], where: str) -> Any:
    data = rows_table(postgresql_, {name: tally.c[name].type for name in keys})
    here = tuple_(*(tally.c[name] for name in keys))
    return delete(tally).where(here.in_(select(*data.c)), text(where))
