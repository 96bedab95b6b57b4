"""Statements so frequent that what SQLAlchemy does about each counts: the driver is asked.

On PostgreSQL a statement is compiled once and handed to psycopg on the connection that SQLAlchemy
holds, in its transaction. That takes a third of the time. Faults are raised as SQLAlchemy raises
them, and who listens to `before_cursor_execute` hears of each statement.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, NoReturn

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import BigInteger, Connection, Dialect, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError

from app.database.connections import discard_if_read_only

_CURSOR: Final = "direct_cursor"
_PARAMETER: Final = re.compile(r"%\((\w+)\)")

#: A statement that was built once, and its parameters.
Write = tuple[Any, Mapping[str, Any]]


class _Written(NamedTuple):
    """A statement as the driver takes it, and the parameters that are part of it."""

    sql: str
    constants: Mapping[str, Any]


def fetch(connection: Connection, statement: Any, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Return all rows of a statement that was built once; columns are attributes of each.

    Values are the driver's: no type of ours converts them. Not inside of a pipeline.
    """
    if connection.dialect.name != "postgresql":
        return connection.execute(statement, parameters).all()
    return _executed(connection, statement, parameters).fetchall()


def execute(connection: Connection, statement: Any, parameters: Mapping[str, Any]) -> int:
    """Execute a statement that was built once; return how many rows it touched.

    Inside of a pipeline that is not known.
    """
    if connection.dialect.name != "postgresql":
        return connection.execute(statement, parameters).rowcount
    return _executed(connection, statement, parameters).rowcount


def execute_all(connection: Connection, writes: Sequence[Write]) -> int:
    """Execute statements that return no rows, on PostgreSQL as one, and the last one last.

    There each sees what was before all of them, so none may look at what another one writes.
    Returns how many rows the last one touched, as `execute`; 0 if there is none.
    """
    if connection.dialect.name != "postgresql" or len(writes) < 2:
        return [0, *(execute(connection, *write) for write in writes)][-1]
    sql, constants = _joined(tuple(statement for statement, _ in writes), connection.dialect)
    values = dict(constants)
    for number, (_, parameters) in enumerate(writes):
        values |= {f"{name}_{number}": value for name, value in parameters.items()}
    return _run(connection, sql, values).rowcount


def among(postgresql_: bool, tested: Any, name: str) -> Any:
    """Whether a column of whole numbers has one of those in the list that is the parameter `name`.

    PostgreSQL takes a list of any length as one parameter, so that a plan serves for all.
    """
    if postgresql_:
        return tested == any_(bindparam(name, type_=ARRAY(BigInteger)))
    return tested.in_(bindparam(name, expanding=True))


def raise_as_sqlalchemy(connection: Connection, error: psycopg.Error) -> NoReturn:
    """Raise a fault of the driver as SQLAlchemy does, and let go of a connection it has ended."""
    discard_if_read_only(connection, error)
    if not connection.invalidated and _driver(connection).closed:
        connection.invalidate(error)
    # SQLAlchemy's own wrapper is out of reach here: no statement of its is executing.
    raise DBAPIError.instance(
        None, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
    ) from error


def _executed(
    connection: Connection, statement: Any, parameters: Mapping[str, Any]
) -> psycopg.Cursor[Any]:
    sql, constants = _written(statement, connection.dialect)
    return _run(connection, sql, {**constants, **parameters} if constants else parameters)


def _run(connection: Connection, sql: str, values: Any) -> psycopg.Cursor[Any]:
    if not connection.in_transaction():  # or its commit and rollback would do nothing
        connection.begin()
    cursor = _cursor(connection)
    for listener in connection.dispatch.before_cursor_execute:
        sql, values = listener(connection, cursor, sql, values, None, False)
    try:
        return cursor.execute(sql, values)
    except psycopg.Error as error:
        raise_as_sqlalchemy(connection, error)


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the only driver of this dialect
    return driver


def _cursor(connection: Connection) -> psycopg.Cursor[Any]:
    """The connection's cursor; a new one inside of a pipeline, where answers come later."""
    driver = _driver(connection)
    if driver.pgconn.pipeline_status:
        return driver.cursor(row_factory=namedtuple_row)
    reused: psycopg.Cursor[Any] | None = connection.info.get(_CURSOR)
    if reused is None or reused.connection is not driver:
        reused = connection.info[_CURSOR] = driver.cursor(row_factory=namedtuple_row)
    return reused


@lru_cache(maxsize=200)
def _written(statement: Any, dialect: Dialect) -> _Written:
    compiled = statement.compile(dialect=dialect)
    values = {name for name, parameter in compiled.binds.items() if parameter.required}
    state = compiled.construct_expanded_state(dict.fromkeys(values))
    constants = {
        name: state.processors[name](value) if name in state.processors else value
        for name, value in state.parameters.items()
        if name not in values
    }
    return _Written(state.statement, constants)


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
