"""Statements over many rows, and the few things that the two databases say differently."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    Numeric,
    Table,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from app.database.direct import Write, execute, execute_all, fetch
from app.database.sqlite import row_by_row
from app.database.sqlite.row_by_row import scalar_defaults

#: A sum in a BIGINT goes no further, above or below zero: refusing to add would hold up everybody
#: whose sums are added by the same statement.
MOST: Final = 9_000_000_000_000_000_000

Columns = Mapping[str, TypeEngine[Any]]
Rows = Iterable[Sequence[Any]]
Names = Sequence[str]
Data = Sequence[Sequence[Any]]


def is_postgresql(connection: Connection | Engine) -> bool:
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
    once. `fetch_rows` and `write_rows` execute it.
    """
    json = bindparam("rows", type_=Text())
    if postgresql_:
        names = [column(name, kind) for name, kind in columns.items()]
        unfolded = func.json_to_recordset(cast(json, JSON)).table_valued(*names, name="data")
        return unfolded.render_derived(with_types=True)
    each = func.json_each(json).table_valued("value")
    parts = [
        cast(func.json_extract(each.c.value, f"$[{index}]"), kind).label(name)
        for index, (name, kind) in enumerate(columns.items())
    ]
    return select(*parts).select_from(each).subquery("data")


def fetch_rows(
    connection: Connection,
    build: Callable[[bool], Any],
    names: Iterable[str],
    rows: Rows,
    **terms: Any,
) -> Sequence[Any]:
    """Execute a statement over `rows`, in the order of `names`; return all rows it selects.

    `build(is_postgresql)` makes it out of a `rows_table` of the same names, and should be cached:
    making a statement costs more than sending it. `terms` are its other parameters.
    """
    statement = build(is_postgresql(connection))
    return fetch(connection, statement, {"rows": packed(connection, names, rows), **terms})


def write_rows(
    connection: Connection,
    build: Callable[[bool], Any],
    names: Iterable[str],
    rows: Rows,
    **terms: Any,
) -> int:
    """As `fetch_rows`, for a statement that selects nothing. Returns how many rows it touched."""
    statement = build(is_postgresql(connection))
    return execute(connection, statement, {"rows": packed(connection, names, rows), **terms})


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
) -> Sequence[Any]:
    """Insert `rows` (values in the order of `names`) by one statement.

    With `ignore_conflicts` a row that a unique index forbids is left out.
    """
    if not rows:
        return []
    if not returning:
        execute_all(
            connection,
            insert_writes(connection, table, names, rows, ignore_conflicts=ignore_conflicts),
        )
        return []
    statement = _insertion(
        is_postgresql(connection), table, tuple(names), tuple(returning), ignore_conflicts
    )
    return fetch(connection, statement, {"rows": packed(connection, names, rows)})


def insert_writes(
    connection: Connection,
    table: Table,
    names: Names,
    rows: Data,
    *,
    ignore_conflicts: bool = False,
) -> list[Write]:
    """What `insert_rows` executes, for `direct.execute_all`; nothing for no rows."""
    if not rows:
        return []
    if not is_postgresql(connection):
        return [row_by_row.insertion(table, tuple(names), rows, ignore_conflicts=ignore_conflicts)]
    statement = _insertion(True, table, tuple(names), (), ignore_conflicts)
    return [(statement, {"rows": packed(connection, names, rows)})]


@lru_cache(maxsize=64)
def _insertion(
    postgresql_: bool, table: Table, names: tuple[str, ...], returning: Names, skips: bool
) -> Any:
    statement = _inserting(postgresql_, table, names)
    if skips:
        statement = statement.on_conflict_do_nothing()
    return statement.returning(*(table.c[name] for name in returning)) if returning else statement


def _inserting(postgresql_: bool, table: Table, names: tuple[str, ...]) -> Any:
    data = rows_table(postgresql_, {name: table.c[name].type for name in names})
    # Left to SQLAlchemy, defaults would be parameters that only it can fill in.
    defaults = {
        name: literal(value, table.c[name].type)
        for name, value in scalar_defaults(table, names).items()
    }
    # Without a WHERE, SQLite would read ON CONFLICT as the ON of a join.
    source = select(*(data.c[name] for name in names), *defaults.values()).where(text("true"))
    statement = (postgresql.insert if postgresql_ else sqlite.insert)(table)
    return statement.from_select([*names, *defaults], source, include_defaults=False)


def increment_rows(
    connection: Connection, table: Table, keys: Names, sums: Names, rows: Data, *, where: str = ""
) -> None:
    """Add to the counters of rows found by `keys`; a row that is missing is inserted.

    Each of `rows` holds the values of `keys` and then what to add to each of `sums`. `keys` need
    a unique index, of the condition `where` if it is partial. A 64-bit counter stops at `MOST`.
    """
    execute_all(connection, increment_writes(connection, table, keys, sums, rows, where=where))


def increment_writes(
    connection: Connection, table: Table, keys: Names, sums: Names, rows: Data, *, where: str = ""
) -> list[Write]:
    """What `increment_rows` executes, for `direct.execute_all`; nothing for no rows."""
    if not rows:
        return []
    flag = is_postgresql(connection)
    statement = _incrementing(flag, table, tuple(keys), tuple(sums), where)
    return [(statement, {"rows": packed(connection, [*keys, *sums], rows)})]


@lru_cache(maxsize=8)
def _incrementing(
    postgresql_: bool, table: Table, keys: tuple[str, ...], counters: tuple[str, ...], where: str
) -> Any:
    statement = _inserting(postgresql_, table, (*keys, *counters))
    return statement.on_conflict_do_update(
        index_elements=list(keys),
        index_where=text(where) if where else None,
        set_={
            name: _sum(table.c[name], statement.excluded[name], postgresql_) for name in counters
        },
    )


def _sum(old: Column[Any], more: Any, postgresql_: bool) -> Any:
    if not isinstance(old.type, BigInteger):
        return old + more
    if postgresql_:
        total = func.least(func.greatest(cast(old, Numeric) + more, -MOST), MOST)
        return cast(total, BigInteger)
    return func.min(func.max(old + more, -MOST), MOST)  # SQLite goes on with a float beyond


def update_rows(
    connection: Connection, table: Table, names: Names, rows: Data, **where: Any
) -> int:
    """Update by primary key: each row is (id, new values in the order of `names`).

    `where` names columns that must still have these values. Returns how many had.
    """
    return execute_all(connection, update_writes(connection, table, names, rows, **where))


def update_writes(
    connection: Connection, table: Table, names: Names, rows: Data, **where: Any
) -> list[Write]:
    """What `update_rows` executes, for `direct.execute_all`; nothing for no rows."""
    if not rows:
        return []
    if not is_postgresql(connection):
        return [row_by_row.updating(table, tuple(names), rows, where)]
    statement = _updating(table, tuple(names), tuple(where))
    data = packed(connection, ["id", *(f"new_{name}" for name in names)], rows)
    terms = {f"old_{name}": value for name, value in where.items()}
    return [(statement, {"rows": data, **terms})]


@lru_cache(maxsize=64)
def _updating(table: Table, names: tuple[str, ...], where: tuple[str, ...]) -> Any:
    if where:
        return _updating_by_place(table, names, where)
    kinds = {"id": table.c.id.type} | {f"new_{name}": table.c[name].type for name in names}
    data = rows_table(True, kinds)
    return (
        update(table)
        .where(table.c.id == data.c.id)
        .values({name: data.c[f"new_{name}"] for name in names})
    )


def _updating_by_place(table: Table, names: tuple[str, ...], where: tuple[str, ...]) -> Any:
    """Find each row by its primary key alone, whatever the planner believes of the table.

    Joined openly, PostgreSQL chooses for a table that it thinks small to read
    all of it, and for a rare state an index full of dead entries: 8,800 of
    them for 102 rows, and more until the next vacuum. Once it was analyzed
    while that index was empty it prefers it even so, unless the condition
    does not match the index. Whoever changed a row in the meantime has moved
    it, and keeps it.
    """
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    kinds = {"id": table.c.id.type} | {f"new_{name}": table.c[name].type for name in names}
    typed = ", ".join(f"{name} {kind.compile(dialect=dialect)}" for name, kind in kinds.items())
    still = "".join(f" AND {_unindexed(table, name)} = :old_{name}" for name in where)
    changes = ", ".join(f"{name} = data.new_{name}" for name in names)
    return text(
        f"UPDATE {table.name} SET {changes}"  # noqa: S608 - of our own names
        f" FROM json_to_recordset(CAST(:rows AS json)) AS data({typed})"
        f" CROSS JOIN LATERAL (SELECT same.ctid AS place FROM {table.name} same"
        f" WHERE same.id = data.id{still} OFFSET 0) mine"
        f" WHERE {table.name}.ctid = mine.place"
    )


def _unindexed(table: Table, name: str) -> str:
    """The column `name` of `same`, such that no partial index on a number matches."""
    return f"same.{name} + 0" if isinstance(table.c[name].type, Integer) else f"same.{name}"
