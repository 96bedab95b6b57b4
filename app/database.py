"""How the two databases are opened, and the few things they say differently.

SQLite: WAL, foreign keys, and every transaction starts as a writer. A
deferred one that turns writer half-way fails at once when another wrote
meanwhile; one that starts as a writer waits its turn.
"""

from __future__ import annotations

import select as select_
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import psycopg
from sqlalchemy import (
    JSON,
    Connection,
    CursorResult,
    Engine,
    Row,
    Table,
    Text,
    bindparam,
    cast,
    column,
    event,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, Pool
from sqlalchemy.types import TypeEngine

BUSY_SECONDS = 30
#: A connection that rested so long may have been forgotten by a firewall on its way.
RESTED_SECONDS = 30

Columns = Mapping[str, TypeEngine[Any]]
Rows = Iterable[Sequence[Any]]


def prepare_engine(url: str) -> dict[str, Any]:
    """Engine options for `url`; makes the folder of a SQLite file."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    return {
        "pool_size": 10,
        "max_overflow": 10,
        "pool_timeout": 10,
        "pool_recycle": 300,
        "connect_args": {"connect_timeout": 5, "keepalives_idle": 30, "tcp_user_timeout": 10_000},
    }


@event.listens_for(Engine, "connect")
def _on_connect(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")


@event.listens_for(Pool, "checkin")
def _on_checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["rests_since"] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _on_checkout(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Ask a connection whether it lives, if there is reason to doubt it.

    A server that ends says so, and its words lie in the socket unread: a look
    there costs a microsecond, a question (SQLAlchemy's `pool_pre_ping`) a round
    trip for each request. Raises DisconnectionError; the pool takes another.
    """
    if isinstance(connection, sqlite3.Connection):
        return
    rested = time.monotonic() - record.info.get("rests_since", time.monotonic())
    try:
        if rested < RESTED_SECONDS and not _has_unread(connection.fileno()):
            return
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError(f"the connection is dead: {error}") from error


def _has_unread(number: int) -> bool:
    look = select_.poll()
    look.register(number, select_.POLLIN)
    return bool(look.poll(0))


@event.listens_for(Engine, "begin")
def _on_begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def is_postgresql(connection: Connection) -> bool:
    """Which of the two databases this is."""
    return connection.dialect.name == "postgresql"


def loose_index_scan(table: str, column_: str, where: str, *, after: str | None = None) -> str:
    """The SQL of `next (id)`: the distinct values of `column_` in rows that match `where`.

    A recursive common table expression, to be put behind `WITH RECURSIVE`. It
    jumps in an index on `column_` from one value to the next, so a million
    rows of one value cost no more than ten. Its last row may be NULL, which no
    inner join keeps. With `after`, a bound parameter such as `:after`, the
    scan starts behind that value. All arguments are parts of SQL, never input.
    """
    smallest = f"SELECT min({column_}) FROM {table} WHERE {where}"  # noqa: S608 - constants
    start = f" AND {column_} > {after}" if after else ""
    return f"""
        next (id) AS (
            {smallest}{start}
            UNION ALL
            SELECT ({smallest} AND {column_} > next.id) FROM next WHERE next.id IS NOT NULL
        )
    """  # noqa: S608 - constants


def rows_table(postgresql_: bool, columns: Columns) -> Any:
    """Rows given at execution, as something to select from and join with.

    They travel as one JSON text, the parameter `rows`, so that a statement
    costs one plan and one bind however many rows there are, and can be built
    once. `with_rows` executes it.
    """
    json = bindparam("rows", type_=Text())
    if postgresql_:
        names = [column(name, kind) for name, kind in columns.items()]
        unfolded = func.json_to_recordset(cast(json, JSON)).table_valued(*names, name="given")
        return unfolded.render_derived(with_types=True)
    each = func.json_each(json).table_valued("value")
    parts = [
        cast(func.json_extract(each.c.value, f"$[{index}]"), kind).label(name)
        for index, (name, kind) in enumerate(columns.items())
    ]
    return select(*parts).select_from(each).subquery("given")


def with_rows(
    connection: Connection,
    build: Callable[[bool], Any],
    names: Iterable[str],
    rows: Rows,
    **terms: Any,
) -> CursorResult[Any]:
    """Execute what `build(is it PostgreSQL)` made of `rows_table`, with these rows.

    Let `build` be cached: making a statement costs more than sending it.
    """
    statement = build(is_postgresql(connection))
    return connection.execute(statement, {"rows": packed(connection, names, rows), **terms})


def packed(connection: Connection, names: Iterable[str], rows: Rows) -> str:
    """The parameter `rows` of a `rows_table`, in the shape this database unfolds fastest."""
    if is_postgresql(connection):
        keys = list(names)
        return orjson.dumps([dict(zip(keys, row, strict=True)) for row in rows]).decode()
    return orjson.dumps([tuple(row) for row in rows]).decode()


def insert_rows(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    returning: Sequence[str] = (),
    ignore_conflicts: bool = False,
) -> Sequence[Row[Any]]:
    """Insert `rows` (values in the order of `names`) by one statement.

    With `ignore_conflicts` a row that a unique index forbids is left out.
    """
    if not rows:
        return []
    statement = _insertion(
        is_postgresql(connection), table, tuple(names), tuple(returning), ignore_conflicts
    )
    done = connection.execute(statement, {"rows": packed(connection, names, rows)})
    return done.all() if returning else []


@lru_cache(maxsize=64)
def _insertion(
    postgresql_: bool,
    table: Table,
    names: tuple[str, ...],
    returning: tuple[str, ...],
    ignore_conflicts: bool,
) -> Any:
    given = rows_table(postgresql_, {name: table.c[name].type for name in names})
    # Without a WHERE, SQLite would read ON CONFLICT as the ON of a join.
    source = select(*(given.c[name] for name in names)).where(text("true"))
    maker = postgresql.insert if postgresql_ else sqlite.insert
    statement: Any = maker(table).from_select(list(names), source)
    if ignore_conflicts:
        statement = statement.on_conflict_do_nothing()
    return statement.returning(*(table.c[name] for name in returning)) if returning else statement


def increment_rows(
    connection: Connection,
    table: Table,
    keys: Sequence[str],
    counters: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    where: str = "",
) -> None:
    """Add to the counters of rows found by `keys`; a row that is missing is inserted.

    Each of `rows` holds the values of `keys` and then what to add to each of
    `counters`. `keys` need a unique index; if it is a partial one, `where` is
    its condition.
    """
    if not rows:
        return
    arguments = table, tuple(keys), tuple(counters), where
    with_rows(connection, lambda flag: _incrementing(flag, *arguments), [*keys, *counters], rows)


@lru_cache(maxsize=8)
def _incrementing(
    postgresql_: bool, table: Table, keys: tuple[str, ...], counters: tuple[str, ...], where: str
) -> Any:
    names = [*keys, *counters]
    given = rows_table(postgresql_, {name: table.c[name].type for name in names})
    source = select(*(given.c[name] for name in names)).where(text("true"))  # as in _insertion
    maker = postgresql.insert if postgresql_ else sqlite.insert
    statement = maker(table).from_select(names, source)
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        index_where=text(where) if where else None,
        set_={name: table.c[name] + statement.excluded[name] for name in counters},
    )


def update_rows(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    **where: Any,
) -> int:
    """Update by primary key: each row is (id, new values in the order of `names`).

    `where` names columns that must still have these values. Returns how many had.
    """
    if not rows:
        return 0
    statement = _updating(is_postgresql(connection), table, tuple(names), tuple(where))
    data = packed(connection, ["id", *(f"new_{name}" for name in names)], rows)
    terms = {f"old_{name}": value for name, value in where.items()}
    return connection.execute(statement, {"rows": data, **terms}).rowcount


@lru_cache(maxsize=64)
def _updating(
    postgresql_: bool, table: Table, names: tuple[str, ...], where: tuple[str, ...]
) -> Any:
    kinds = {"id": table.c.id.type} | {f"new_{name}": table.c[name].type for name in names}
    given = rows_table(postgresql_, kinds)
    still = [table.c[name] == bindparam(f"old_{name}") for name in where]
    return (
        update(table)
        .where(table.c.id == given.c.id, *still)
        .values({name: given.c[f"new_{name}"] for name in names})
    )
