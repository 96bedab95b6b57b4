"""One page of a list that may have millions of rows, newest first.

`total` and deep offsets cost no more than first pages: the tallies tell in
which hours the page lies, and only those hours are read.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import BigInteger, ColumnElement, Select, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from app.database import is_postgresql, packed, rows_table
from app.domain.time_ranges import DAY, HOUR
from app.errors import NotFound
from app.extensions import db
from app.models import Base, table_of
from app.services.lists import row_counts
from app.services.lists.pages import Page
from app.services.lists.row_counts import Bucket, CountQuery

Row = TypeVar("Row", bound=Base)
Place = tuple[Any, int]  # the time and the id of a row

#: Up to here an index is read row by row; beyond, hours are skipped.
NEAR: Final = 1000
#: Days in which a page is looked for before all of time is.
WINDOWS: Final = (3, 40, 400)
NEVER: Final = 253_402_300_800  # 1 January 10000


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """A model sorted by `time`, then `id`, and the tally that counts its rows.

    `indexed` are the sets of columns for which an index gives that order.
    """

    model: type[Row]
    key: InstrumentedAttribute[int]
    time: InstrumentedAttribute[Any]
    tally: type[Base]
    indexed: Sequence[frozenset[str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows whose columns have the values of `equal`, within a period of Unix seconds.

    `equal` names columns that the tally has too. Both ends belong to the period.
    """

    equal: Mapping[str, Any]
    since: int | None = None
    until: int | None = None

    @property
    def start(self) -> int | None:
        """The first moment that counts, if any does not: no row is older than 1970."""
        return None if self.since is None or self.since <= 0 else min(self.since, NEVER)

    @property
    def end(self) -> int | None:
        """The first moment that is too late."""
        return None if self.until is None else min(max(0, self.until + 1), NEVER)


def given(equal: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller has named; the others are None."""
    return {name: value for name, value in equal.items() if value is not None}


def fetch(
    listing: Listing[Row],
    wanted: Wanted,
    *,
    limit: int,
    offset: int,
    before: int | None = None,
    near: int = NEAR,
) -> Page[Row]:
    """Rows newest first, `offset` of them skipped, and how many there are in all.

    Rows that arrive between two calls push an `offset` along; `before`, the
    last id of the previous page, is not moved by them. Raises NotFound when
    that row is gone.
    """
    cursor = None if before is None else _cursor(listing, wanted, before)
    total = row_counts.total(_counted(listing, wanted), wanted.start, wanted.end)
    if offset >= total:
        return Page([], total)
    matching = newest_first(listing, wanted, cursor)
    if offset + limit > near or frozenset(wanted.equal) not in listing.indexed:
        hours, skipped = _hours(listing, wanted, cursor, offset, limit)
        if not hours:
            return Page([], total)
        matching, offset = _within(matching, listing, hours), offset - skipped
    return Page(db.session.scalars(matching.limit(limit).offset(offset)).all(), total)


def newest_first(listing: Listing[Row], wanted: Wanted, after: Place | None = None) -> Select[Row]:
    """All rows that are wanted, or those that come `after` a place in the list."""
    matching = select(listing.model).where(*conditions(listing, wanted))
    if after:
        matching = matching.where(_below(listing, after))
    return matching.order_by(listing.time.desc(), listing.key.desc())


def conditions(listing: Listing[Row], wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the rows that are wanted have in common."""
    return _counted(listing, wanted).rows(wanted.start, wanted.end)


def _counted(listing: Listing[Row], wanted: Wanted) -> CountQuery:
    tables = table_of(listing.model), table_of(listing.tally)
    return CountQuery(*tables, listing.time.key, wanted.equal)


def _cursor(listing: Listing[Row], wanted: Wanted, before: int) -> Place:
    own = table_of(listing.model).c.account_id == wanted.equal["account_id"]
    time = db.session.scalar(select(listing.time).where(listing.key == before, own))
    if time is None:
        raise NotFound
    return time, before


def _below(listing: Listing[Row], place: Place) -> ColumnElement[bool]:
    return tuple_(listing.time, listing.key) < place


def _hours(
    listing: Listing[Row], wanted: Wanted, cursor: Place | None, offset: int, limit: int
) -> tuple[list[Bucket], int]:
    """The hours that hold a page, newest first, and how many rows are in newer ones."""
    counted, end = _counted(listing, wanted), wanted.end
    started: list[Bucket] = []
    if cursor:
        hour = int(cursor[0]) // HOUR * HOUR
        rows = [*counted.rows(wanted.start, end), _below(listing, cursor), listing.time >= hour]
        started = [Bucket(hour, hour + HOUR, row_counts.count(counted, rows))]
        end = hour if end is None else min(end, hour)
    needed = offset + limit - sum(bucket.number for bucket in started)
    parts = [*started, *_newest(counted, wanted.start, end, needed)]
    found, skipped = _covering(parts, offset, limit)
    days = [bucket for bucket in found if bucket.until - bucket.since == DAY]
    if not days:
        return found, skipped
    hours = row_counts.hours(counted, days[-1].since, days[0].until)
    others = [bucket for bucket in found if bucket not in days]
    found, more = _covering(sorted([*others, *hours], reverse=True), offset - skipped, limit)
    return found, skipped + more


def _newest(counted: CountQuery, since: int | None, until: int | None, needed: int) -> list[Bucket]:
    """Buckets of so many rows at least, or all: years are not summed up for a first page."""
    last = int(time.time()) if until is None else until
    for days in WINDOWS:
        start = last - days * DAY
        if since is not None and start <= since:
            break
        found = row_counts.buckets(counted, start, until)
        if sum(bucket.number for bucket in found) >= needed:
            return found
    return row_counts.buckets(counted, since, until)


def _covering(buckets: Sequence[Bucket], offset: int, limit: int) -> tuple[list[Bucket], int]:
    """The buckets that hold the rows from `offset` on, and how many rows come before them."""
    found, passed, skipped = [], 0, 0
    for bucket in buckets:
        if passed >= offset + limit:
            break
        passed += bucket.number
        if passed > offset:
            found.append(bucket)
        else:
            skipped = passed
    return found, skipped


def _within(matching: Select[Row], listing: Listing[Row], hours: Sequence[Bucket]) -> Select[Row]:
    """Only rows of these hours; gaps between them are not read."""
    ends = [(hour.since, hour.until) for hour in reversed(hours)]
    if all(end == start for (_, end), (start, _) in pairwise(ends)):
        return matching.where(listing.time >= ends[0][0], listing.time < ends[-1][1])
    connection, columns = db.session.connection(), {"since": BigInteger(), "until": BigInteger()}
    given = rows_table(is_postgresql(connection), columns)
    inside = (listing.time >= given.c.since) & (listing.time < given.c.until)
    return matching.join(given, inside).params(rows=packed(connection, columns, ends))
