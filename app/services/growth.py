"""Growth: how many rows each table has, how much room it takes, and what came within a day.

Nothing is counted row by row: PostgreSQL keeps estimates, and keys rise with time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table, func, select, text

from app.database.rows import is_postgresql
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    Attempt,
    Base,
    Click,
    JournalEntry,
    Message,
    Postback,
    Update,
    table_of,
)

#: Tables that grow with traffic, and the column that says when a row came; it rises with the key.
TIMES: Final = {
    table_of(Update): "received",
    table_of(JournalEntry): "time",
    table_of(Postback): "created",
    table_of(Attempt): "started",
    table_of(Message): "created",
    table_of(Click): "created",
}

#: The size holds indexes and long values. Before its first ANALYZE a table has -1 rows.
_SIZES: Final = text("""
    SELECT relname, greatest(reltuples, 0)::bigint, pg_total_relation_size(oid)
    FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
    AND relname = ANY(:names) ORDER BY 3 DESC, 1
""")


@dataclass(frozen=True, slots=True)
class TableSize:
    """About how many rows a table has, and bytes; None where the database does not tell."""

    name: str
    rows: int
    bytes: int | None


def sizes() -> list[TableSize]:
    """Return all tables, the largest first."""
    tables = Base.metadata.sorted_tables
    if is_postgresql(db.session.connection()):
        estimates = db.session.execute(_SIZES, {"names": [table.name for table in tables]})
        return [TableSize(name, int(rows), int(size)) for name, rows, size in estimates]
    keyed = [
        (table.name, func.max(table.c.id), func.min(table.c.id))
        for table in tables
        if "id" in table.c
    ]
    rows = [
        TableSize(name, _length(*db.session.execute(select(newest, oldest)).one()), None)
        for name, newest, oldest in keyed
    ]
    return sorted(rows, key=lambda size: (-size.rows, size.name))


def database_bytes() -> int:
    """Return how much room the whole database takes."""
    if is_postgresql(db.session.connection()):
        return int(db.session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages = db.session.scalar(text("PRAGMA page_count")) or 0
    return int(pages * (db.session.scalar(text("PRAGMA page_size")) or 0))


def came_since(now: float) -> Sequence[tuple[str, int]]:
    """Return the tables that grow, and about how many rows each got in the day before `now`."""
    return [(table.name, _came(table, time, now - DAY)) for table, time in TIMES.items()]


def _came(table: Table, time: str, since: float) -> int:
    """Search the first key whose row came after `since`: a step halves what is left."""
    newest, oldest = db.session.execute(select(func.max(table.c.id), func.min(table.c.id))).one()
    if newest is None:
        return 0
    low, high = oldest, newest + 1
    while low < high:
        middle = (low + high) // 2
        row = db.session.execute(
            select(table.c.id, table.c[time])
            .where(table.c.id >= middle)
            .order_by(table.c.id)
            .limit(1)
        ).one()
        if row[1] >= since:
            high = middle
        else:
            low = int(row.id) + 1
    return int(newest + 1 - low)


def _length(newest: int | None, oldest: int | None) -> int:
    return 0 if newest is None or oldest is None else newest - oldest + 1
