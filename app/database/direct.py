"""Statements so frequent that what SQLAlchemy does about each counts: the driver is asked.

A statement is compiled once and handed to the driver on the connection that SQLAlchemy holds, in
its transaction. That takes a third of the time. Faults are raised as SQLAlchemy raises them, and
who listens to `before_cursor_execute` hears of each statement.
"""

import re
import sqlite3
from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, NoReturn

import orjson
import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import BigInteger, Boolean, Connection, Dialect, Text, any_, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import ARRAY

from app.database.connections import as_sqlalchemy, discard_if_read_only

_CURSOR: Final = "direct_cursor"
_PARAMETER: Final = re.compile(r"%\((\w+)\)")
#: As SQLAlchemy speaks to SQLite, but parameters keep their names.
_SQLITE: Final = sqlite.dialect(paramstyle="named")

#: A statement that was built once, and its parameters; on SQLite perhaps the driver's text, and
#: the parameters of each row for which it is executed.
Write = tuple[Any, Mapping[str, Any] | Sequence[Sequence[Any]]]


class _Written(NamedTuple):
    """A statement as the driver takes it, and the parameters that are part of it.

    `flags` are the names of its columns of truth values, which SQLite returns as 0 and 1.
    """

    sql: str
    constants: Mapping[str, Any]
    flags: frozenset[str] = frozenset()


def fetch(connection: Connection, statement: Any, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Return all rows of a statement that was built once; columns are attributes of each.

    Values are the driver's: no type of ours converts them. Not inside of a pipeline. A parameter
    may be a list only where `among` or `json_each` looks into it on SQLite.
    """
    cursor = _executed(connection, statement, parameters)
    if isinstance(cursor, psycopg.Cursor):
        return cursor.fetchall()
    return _named_rows(cursor, _written(statement, connection.dialect).flags)


def execute(connection: Connection, statement: Any, parameters: Mapping[str, Any]) -> int:
    """Execute a statement that was built once; return how many rows it touched.

    Inside of a pipeline that is not known.
    """
    return int(_executed(connection, statement, parameters).rowcount)


def execute_all(connection: Connection, writes: Sequence[Write]) -> int:
    """Execute statements that return no rows, on PostgreSQL as one, and the last one last.

    There each sees what was before all of them, so none may look at what another one writes.
    Returns how many rows the last one touched, as `execute`; 0 if there is none.
    """
    if connection.dialect.name != "postgresql" or len(writes) < 2:
        return [0, *(_write(connection, *write) for write in writes)][-1]
    sql, constants, _ = _joined(tuple(statement for statement, _ in writes), connection.dialect)
    values = dict(constants)
    for number, (_, parameters) in enumerate(writes):
        assert isinstance(parameters, Mapping)  # noqa: S101 - rows are of SQLite
        values |= {f"{name}_{number}": value for name, value in parameters.items()}
    return int(_run(connection, sql, values).rowcount)


def among(postgresql_: bool, tested: Any, name: str) -> Any:
    """Whether a column of whole numbers has one of those in the list that is the parameter `name`.

    A list of any length is one parameter, on SQLite as JSON, so that a plan serves for all.
    """
    if postgresql_:
        return tested == any_(bindparam(name, type_=ARRAY(BigInteger)))
    return tested.in_(select(func.json_each(bindparam(name, type_=Text)).table_valued("value")))


def raise_as_sqlalchemy(connection: Connection, error: psycopg.Error | sqlite3.Error) -> NoReturn:
    """Raise a fault of the driver as SQLAlchemy does, and let go of a connection it has ended."""
    if isinstance(error, psycopg.Error):
        discard_if_read_only(connection, error)
        if not connection.invalidated and _driver(connection).closed:
            connection.invalidate(error)
    raise as_sqlalchemy(connection, error) from error


def _executed(connection: Connection, statement: Any, parameters: Mapping[str, Any]) -> Any:
    sql, constants, _ = _written(statement, connection.dialect)
    if connection.dialect.name == "sqlite":
        parameters = {name: _bound(value) for name, value in parameters.items()}
    return _run(connection, sql, {**constants, **parameters} if constants else parameters)


def _bound(value: Any) -> Any:
    """A parameter as SQLite takes it: a list is JSON, into which the statement looks."""
    return orjson.dumps(value).decode() if isinstance(value, list) else value


def _write(connection: Connection, statement: Any, parameters: Any) -> int:
    """Execute one of several; return how many rows it touched."""
    if isinstance(statement, str):
        return int(_run(connection, statement, parameters, many=True).rowcount)
    return execute(connection, statement, parameters)


def _run(connection: Connection, sql: str, values: Any, *, many: bool = False) -> Any:
    """The cursor of a statement that the driver has executed."""
    if not connection.in_transaction():  # or its commit and rollback would do nothing
        connection.begin()
    cursor = _cursor(connection)
    for listener in connection.dispatch.before_cursor_execute:
        sql, values = listener(connection, cursor, sql, values, None, many)
    try:
        if many:
            return cursor.executemany(sql, values)
        return cursor.execute(sql, values)
    except (psycopg.Error, sqlite3.Error) as error:
        raise_as_sqlalchemy(connection, error)


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _cursor(connection: Connection) -> Any:
    """The connection's cursor; a new one inside of a pipeline, where answers come later."""
    driver = _driver(connection)
    if isinstance(driver, sqlite3.Connection):
        return driver.cursor()
    if driver.pgconn.pipeline_status:
        return driver.cursor(row_factory=namedtuple_row)
    reused: psycopg.Cursor[Any] | None = connection.info.get(_CURSOR)
    if reused is None or reused.connection is not driver:
        reused = connection.info[_CURSOR] = driver.cursor(row_factory=namedtuple_row)
    return reused


def _named_rows(cursor: sqlite3.Cursor, flags: frozenset[str]) -> Sequence[Any]:
    rows = cursor.fetchall()
    if not rows:
        return rows
    make, numbers = _row_type(tuple(column[0] for column in cursor.description), flags)
    if numbers:
        rows = [list(row) for row in rows]
        for row in rows:
            for number in numbers:
                if row[number] is not None:
                    row[number] = bool(row[number])
    return [make(row) for row in rows]


@lru_cache(maxsize=300)
def _row_type(names: tuple[str, ...], flags: frozenset[str]) -> tuple[Any, list[int]]:
    """What makes a row with these columns, and which of them are truth values."""
    row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024
    return row._make, [number for number, name in enumerate(names) if name in flags]


@lru_cache(maxsize=300)
def _written(statement: Any, dialect: Dialect) -> _Written:
    compiled = statement.compile(dialect=_SQLITE if dialect.name == "sqlite" else dialect)
    values = {name for name, parameter in compiled.binds.items() if parameter.required}
    state = compiled.construct_expanded_state(dict.fromkeys(values))
    constants = {
        name: state.processors[name](value) if name in state.processors else value
        for name, value in state.parameters.items()
        if name not in values
    }
    columns = getattr(statement, "exported_columns", ())
    flags = frozenset(column.name for column in columns if isinstance(column.type, Boolean))
    return _Written(state.statement, constants, flags)


@lru_cache(maxsize=50)
def _joined(statements: tuple[Any, ...], dialect: Dialect) -> _Written:
    """Several statements as one. The name of each parameter gets the number of its statement."""
    *others, last = (
        _PARAMETER.sub(rf"%(\1_{number})", _written(statement, dialect).sql)
        for number, statement in enumerate(statements)
    )
    constants = {
        f"{name}_{number}": value
        for number, statement in enumerate(statements)
        for name, value in _written(statement, dialect).constants.items()
    }
    parts = ", ".join(f"part_{number} AS ({sql})" for number, sql in enumerate(others))
    return _Written(f"WITH {parts} {last}", constants)
