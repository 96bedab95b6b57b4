"""Writes clicks and counts them, many visitors in one transaction.

Nobody's click depends on a neighbour's that the database refuses, or waits for a transfer that
holds its source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import psycopg
import structlog
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.database.faults import is_data_fault
from app.database.rows import increment_rows, insert_rows, is_postgresql
from app.domain.clicks.link_query import QueryFlag
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Click, Source, SourceDay, table_of
from app.services.updates.group_commit import GroupCommit

log = structlog.get_logger()

_CLICKS: Final = table_of(Click)
_DAYS: Final = table_of(SourceDay)
_SOURCES: Final = table_of(Source)
COLUMNS: Final = (
    "account_id source_id campaign_id token visitor created pressed external referrer country"
    " ids utm subs ad flags"
).split()
_COUNTERS: Final = ("clicks", "repeats", "previews", "paused", "visits", "fallbacks")
#: For how long a visitor may wait for counters that somebody else changes.
LOCK_MILLISECONDS: Final = 500
_LOCK_TIMEOUT: Final = text(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
#: Counts that could not be added yet are kept for so many sources and days.
_MOST_LATE: Final = 10_000


class Visit(NamedTuple):
    """One visit to be counted as `counter` of a source, and its click if it became one.

    `now` is in Unix seconds; `click` has the values of `COLUMNS` by name. Its account is
    looked up again when it is stored: a transfer may have come in between.
    """

    source_id: int
    counter: str
    now: float
    click: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Pending:
    """A visit on its way, and what the database refused about it."""

    visit: Visit
    fault: SQLAlchemyError | None = None


def record(visit: Visit) -> None:
    """Store a visit. It is committed when this returns; its count may follow a moment later."""
    entry = _Pending(visit)
    _visits.put(entry)
    if entry.fault is not None:
        raise entry.fault


Counts = Counter[tuple[int, int, str]]
#: Counts whose rows somebody held, to be added with the next visits. Only the one caller that
#: writes touches them.
_late: Final[Counts] = Counter()


def _write(entries: Sequence[_Pending]) -> None:
    """Store what can be stored, all of it at once if nothing is refused."""
    try:
        _store([entry.visit for entry in entries])
    except SQLAlchemyError as error:
        if not is_data_fault(error):
            raise
        if len(entries) == 1:
            entries[0].fault = error
            return
        for entry in entries:
            _write([entry])


def _store(visits: Sequence[Visit]) -> None:
    counts = Counter(
        (visit.source_id, int(visit.now // DAY), counter)
        for visit in visits
        for counter in _counters(visit)
    )
    try:
        with db.engine.begin() as connection:
            if is_postgresql(connection):
                connection.execute(_LOCK_TIMEOUT)
            _insert(connection, visits)
            _count(connection, counts + _late)
    except OperationalError as error:
        if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise
        log.warning("clicks.counted_later", count=len(visits))
        with db.engine.begin() as connection:
            _insert(connection, visits)
        if len(_late) < _MOST_LATE:
            _late.update(counts)
        return
    _late.clear()


def _insert(connection: Connection, visits: Sequence[Visit]) -> None:
    clicks = [visit.click for visit in visits if visit.click]
    if not clicks:
        return
    owners = current_owners(connection, {click["source_id"] for click in clicks})
    rows = [
        {**click, "account_id": owners.get(click["source_id"], click["account_id"])}
        for click in clicks
    ]
    insert_rows(connection, _CLICKS, COLUMNS, [[row[name] for name in COLUMNS] for row in rows])


def current_owners(connection: Connection, sources: Collection[int]) -> dict[int, int]:
    """The accounts that have these sources now.

    A transfer that begins now waits until the click is committed, and finds it. A click does
    not wait for one that has begun: `settlement` brings it along later.
    """
    query = select(_SOURCES.c.id, _SOURCES.c.account_id).where(_SOURCES.c.id.in_(sources))
    locked = query.order_by(_SOURCES.c.id).with_for_update(read=True, skip_locked=True)
    owners = {row.id: row.account_id for row in connection.execute(locked)}
    if missing := set(sources) - set(owners):
        unlocked = query.where(_SOURCES.c.id.in_(missing))
        owners |= {row.id: row.account_id for row in connection.execute(unlocked)}
    return owners


def _count(connection: Connection, counts: Counts) -> None:
    days: dict[tuple[int, int], dict[str, int]] = {}
    for (source, day, counter), count in counts.items():
        days.setdefault((source, day), dict.fromkeys(_COUNTERS, 0))[counter] += count
    rows = [(*place, *numbers.values()) for place, numbers in sorted(days.items())]
    increment_rows(connection, _DAYS, ("source_id", "day"), _COUNTERS, rows)


def _counters(visit: Visit) -> list[str]:
    is_fallback = visit.click is not None and visit.click["flags"] & QueryFlag.FALLBACK
    return [visit.counter, "fallbacks"] if is_fallback else [visit.counter]


_visits: Final = GroupCommit(_write)
