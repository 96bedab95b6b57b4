"""How the two databases are opened, and the few things they say differently.

SQLite: WAL, foreign keys, and every transaction starts as a writer. A
deferred one that turns writer half-way fails at once when another wrote
meanwhile; one that starts as a writer waits its turn.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    FromClause,
    Row,
    Table,
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
from sqlalchemy.types import TypeEngine

BUSY_SECONDS = 30

Columns = Mapping[str, TypeEngine[Any]]


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
        "connect_args": {"connect_timeout": 5},
    }


@event.listens_for(Engine, "connect")
def _on_connect(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")


@event.listens_for(Engine, "begin")
def _on_begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def is_postgresql(connection: Connection) -> bool:
    """Which of the two databases this is."""
    return connection.dialect.name == "postgresql"


def lock(connection: Connection, number: int) -> None:
    """Let one transaction at a time past this line, in all processes.

    SQLite needs nothing: its transactions have the database to themselves.
    """
    if is_postgresql(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def rows_table(connection: Connection, columns: Columns, rows: Iterable[Sequence[Any]]) -> Any:
    """`rows` as something to select from and join with: columns as named.

    One array per column (PostgreSQL) or one JSON text (SQLite) costs one
    plan and one bind, however many rows there are.
    """
    if not is_postgresql(connection):
        return _json_table(columns, rows)
    data = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [
        bindparam(None, list(values), type_=postgresql.ARRAY(kind), unique=True)
        for values, kind in zip(data, columns.values(), strict=True)
    ]
    names = [column(name, kind) for name, kind in columns.items()]
    return func.unnest(*arrays).table_valued(*names, name="given").render_derived()


def _json_table(columns: Columns, rows: Iterable[Sequence[Any]]) -> FromClause:
    given = func.json_each(json.dumps([list(row) for row in rows])).table_valued("value")
    parts = [
        cast(func.json_extract(given.c.value, f"$[{index}]"), kind).label(name)
        for index, (name, kind) in enumerate(columns.items())
    ]
    return select(*parts).select_from(given).subquery("given")


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
    given = rows_table(connection, {name: table.c[name].type for name in names}, rows)
    maker = postgresql.insert if is_postgresql(connection) else sqlite.insert
    source = select(*(given.c[name] for name in names))
    if not is_postgresql(connection):
        source = source.where(text("true"))  # or ON CONFLICT reads as a join's ON
    statement: Any = maker(table).from_select(list(names), source)
    if ignore_conflicts:
        statement = statement.on_conflict_do_nothing()
    if not returning:
        connection.execute(statement)
        return []
    return connection.execute(statement.returning(*(table.c[name] for name in returning))).all()


def update_rows(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *where: Any,
) -> None:
    """Update by primary key: each row is (id, new values in the order of `names`)."""
    if not rows:
        return
    kinds = {"id": table.c.id.type} | {f"new_{name}": table.c[name].type for name in names}
    given = rows_table(connection, kinds, rows)
    connection.execute(
        update(table)
        .where(table.c.id == given.c.id, *where)
        .values({name: given.c[f"new_{name}"] for name in names})
    )
