"""Reads in no transaction, for questions so frequent that beginning and ending one counts.

On PostgreSQL the driver is asked: what SQLAlchemy does about a statement takes twice as long as
the question itself.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Dialect, Engine, TextClause

from app.database.connections import ONLY_READS


def read_first(engine: Engine, statement: TextClause, parameters: Mapping[str, Any]) -> Any:
    """Return the first row of what is committed; None if there is none.

    Columns are attributes of the row. Raises what SQLAlchemy raises.
    """
    if engine.dialect.name != "postgresql":
        return _by_sqlalchemy(engine, statement, parameters, {ONLY_READS: True})
    try:
        return _by_driver(engine, statement, parameters)
    except psycopg.Error:  # it is asked again by who knows what to do about a fault
        options = {"isolation_level": "AUTOCOMMIT"}
        return _by_sqlalchemy(engine, statement, parameters, options)


def _by_driver(engine: Engine, statement: TextClause, parameters: Mapping[str, Any]) -> Any:
    pooled = engine.raw_connection()
    try:
        driver: Any = pooled.driver_connection
        driver.autocommit = True
        try:
            cursor = driver.cursor(row_factory=namedtuple_row)
            return cursor.execute(_written(statement, engine.dialect), parameters).fetchone()
        finally:
            if driver.closed:
                pooled.invalidate()
            else:
                driver.autocommit = False
    finally:
        pooled.close()


def _by_sqlalchemy(
    engine: Engine,
    statement: TextClause,
    parameters: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Any:
    with engine.connect() as connection:
        return connection.execution_options(**options).execute(statement, parameters).first()


@lru_cache(maxsize=100)
def _written(statement: TextClause, dialect: Dialect) -> str:
    """Return the statement as the driver takes it."""
    return str(statement.compile(dialect=dialect))
