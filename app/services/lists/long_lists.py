"""One page of a list that may have millions of rows, newest first.

`total` and deep offsets cost no more than first pages: the row counts tell in
which hours a page lies, and only those hours are read.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.database.rows import is_postgresql, packed, rows_table
from app.domain.time_ranges import DAY, HOUR, YEAR_10000
from app.errors import NotFound
from app.extensions import db
from app.models import Base, table_of
from app.services.lists import parts, row_counts
from app.services.lists.pages import Page
from app.services.lists.parts import SortKey
from app.services.lists.row_counts import Bucket, CountQuery

Row = TypeVar("Row", bound=Base)

#: Rows up to which an index is read row by row; beyond, whole hours are skipped.
NEAR: Final = 1000
#: Days in which a page is looked for, one period after the other, before all of time is.
WINDOWS: Final = (3, 40, 400)


@dataclass(frozen=True, slots=True)
class LongList(Generic[Row]):
    """A model sorted by `time`, then `id`, and the tally that counts its rows.

    `indexed` are the sets of columns for which an index gives that order.
    """

    model: type[Row]
    key: InstrumentedAttribute[int]
    time: InstrumentedAttribute[Any]
    tally: type[Base]
    indexed: Sequence[frozenset[str]]


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Rows whose columns have the values of `filters`, within a period of Unix seconds.

    `filters` names columns that the tally has too. Both ends belong to the period.
    """

    filters: Mapping[str, Any]
    since: int | None = None
    until: int | None = None

    @property
    def start(self) -> int | None:
        """The first second of the period; None without a beginning: no row is older than 1970."""
        return None if self.since is None or self.since <= 0 else min(self.since, YEAR_10000)

    @property
    def end(self) -> int | None:
        """The first second after the period; None without an end."""
        return None if self.until is None else min(max(0, self.until + 1), YEAR_10000)


def without_none(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the filters that are set."""
    return {name: value for name, value in filters.items() if value is not None}


def fetch(
    long_list: LongList[Row],
    query: RowQuery,
    *,
    limit: int,
    offset: int,
    before: int | None = None,
    near: int = NEAR,
    number: int | None = None,
) -> Page[Row]:
    """Return a page of the rows that match `query`, newest first, `offset` of them skipped.

    Rows that arrive between two calls shift an `offset`; they do not shift
    `before`, the last id of the previous page. Up to `near` rows are read along
    an index; beyond, whole hours are skipped. Raises NotFound when the row
    `before` is gone. `number` is how many rows match, for a caller who knows.
    """
    cursor = None if before is None else _cursor(long_list, query, before)
    number = total(long_list, query) if number is None else number
    if offset >= number:
        return Page([], number)
    matching = newest_first(long_list, query, cursor)
    if offset + limit > near or frozenset(query.filters) not in long_list.indexed:
        hours, skipped = _hours(long_list, query, cursor, offset, limit)
        if not hours:
            return Page([], number)
        matching, offset = _within(matching, long_list, hours), offset - skipped
    return Page(db.session.scalars(matching.limit(limit).offset(offset)).all(), number)


def counts(
    long_list: LongList[Row], query: RowQuery, column: InstrumentedAttribute[Any]
) -> Mapping[Any, int]:
    """How many rows match `query`, for each value of a column that the tally has; 0 for others."""
    return row_counts.by_value(_counted(long_list, query), column.key, query.start, query.end)


def total(long_list: LongList[Row], query: RowQuery) -> int:
    """How many rows match `query`."""
    return row_counts.total(_counted(long_list, query), query.start, query.end)


def newest_first(
    long_list: LongList[Row], query: RowQuery, after: SortKey | None = None
) -> Select[Row]:
    """Select the rows that match `query`, or those that come `after` a row of the list."""
    matching = select(long_list.model).where(*conditions(long_list, query))
    if after:
        matching = matching.where(_below(long_list, after))
    return matching.order_by(long_list.time.desc(), long_list.key.desc())


def read_all(
    long_list: LongList[Row], query: RowQuery, after: SortKey | None = None
) -> Iterator[Sequence[Row]]:
    """Read every row that matches `query`, newest first, by the thousand, as `parts` does.

    With `after` those that come after a row of the list.
    """
    return parts.behind_each(
        lambda last: newest_first(long_list, query, last),
        lambda row: (getattr(row, long_list.time.key), getattr(row, long_list.key.key)),
        after,
    )


def conditions(long_list: LongList[Row], query: RowQuery) -> list[ColumnElement[bool]]:
    """The conditions of `query`."""
    return _counted(long_list, query).rows(query.start, query.end)


def _counted(long_list: LongList[Row], query: RowQuery) -> CountQuery:
    tables = table_of(long_list.model), table_of(long_list.tally)
    return CountQuery(*tables, long_list.time.key, query.filters)


def _cursor(long_list: LongList[Row], query: RowQuery, before: int) -> SortKey:
    own = table_of(long_list.model).c.account_id == query.filters["account_id"]
    time = db.session.scalar(select(long_list.time).where(long_list.key == before, own))
    if time is None:
        raise NotFound
    return time, before


def _below(long_list: LongList[Row], place: SortKey) -> ColumnElement[bool]:
    return tuple_(long_list.time, long_list.key) < place


def _hours(
    long_list: LongList[Row], query: RowQuery, cursor: SortKey | None, offset: int, limit: int
) -> tuple[list[Bucket], int]:
    """Return the hours that hold a page, newest first, and the number of rows in newer hours."""
    counted, end = _counted(long_list, query), query.end
    started: list[Bucket] = []
    if cursor:
        hour = int(cursor[0]) // HOUR * HOUR
        rows = [*counted.rows(query.start, end), _below(long_list, cursor), long_list.time >= hour]
        started = [Bucket(hour, hour + HOUR, row_counts.count(counted, rows))]
        end = hour if end is None else min(end, hour)
    needed = offset + limit - sum(bucket.number for bucket in started)
    newest = [*started, *_newest(counted, query.start, end, needed)]
    chosen, skipped = _covering(newest, offset, limit)
    days = [bucket for bucket in chosen if bucket.until - bucket.since == DAY]
    if not days:
        return chosen, skipped
    hours = row_counts.hours(counted, days[-1].since, days[0].until)
    others = [bucket for bucket in chosen if bucket not in days]
    chosen, more = _covering(sorted([*others, *hours], reverse=True), offset - skipped, limit)
    return chosen, skipped + more


def _newest(counted: CountQuery, since: int | None, until: int | None, needed: int) -> list[Bucket]:
    """Return the newest buckets with at least `needed` rows, or all of them.

    Years are not summed up for a first page.
    """
    last = int(time.time()) if until is None else until
    for days in WINDOWS:
        start = last - days * DAY
        if since is not None and start <= since:
            break
        buckets = row_counts.buckets(counted, start, until)
        if sum(bucket.number for bucket in buckets) >= needed:
            return buckets
    return row_counts.buckets(counted, since, until)


def _covering(buckets: Sequence[Bucket], offset: int, limit: int) -> tuple[list[Bucket], int]:
    """Return the buckets that hold the rows from `offset` on, and the number of rows before."""
    chosen, passed, skipped = [], 0, 0
    for bucket in buckets:
        if passed >= offset + limit:
            break
        passed += bucket.number
        if passed > offset:
            chosen.append(bucket)
        else:
            skipped = passed
    return chosen, skipped


def _within(
    matching: Select[Row], long_list: LongList[Row], hours: Sequence[Bucket]
) -> Select[Row]:
    """Narrow `matching` to these hours; the gaps between them are not read."""
    ends = [(hour.since, hour.until) for hour in reversed(hours)]
    if all(end == start for (_, end), (start, _) in pairwise(ends)):
        return matching.where(long_list.time >= ends[0][0], long_list.time < ends[-1][1])
    connection, columns = db.session.connection(), {"since": BigInteger(), "until": BigInteger()}
    ranges = rows_table(is_postgresql(connection), columns)
    inside = (long_list.time >= ranges.c.since) & (long_list.time < ranges.c.until)
    return matching.join(ranges, inside).params(rows=packed(connection, columns, ends))
