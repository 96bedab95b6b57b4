"""Statements whose answers nobody reads, sent to PostgreSQL in one round trip."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Connection

from app.database.direct import raise_as_sqlalchemy
from app.database.rows import is_postgresql


@contextmanager
def pipelined(connection: Connection) -> Iterator[None]:
    """Send the statements of this block together; SQLite executes each as it comes.

    None of them may return rows, and how many rows they touched is not known. The first
    fault is raised in the block or at its end, as SQLAlchemy raises it; those behind it are
    not executed. Commit behind the block.
    """
    if not is_postgresql(connection) or not psycopg.Pipeline.is_supported():  # by its libpq
        yield
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - the only driver of this dialect
    try:
        with driver.pipeline():
            yield
    except psycopg.Error as error:
        raise_as_sqlalchemy(connection, error)
