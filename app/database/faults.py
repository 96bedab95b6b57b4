"""Whose fault an error of the database is: the data's, or the database's own."""

from __future__ import annotations

import sqlite3
from typing import Final

import psycopg
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

#: What our statements raise, by SQLAlchemy or straight from a driver.
DATABASE_FAULTS: Final = (SQLAlchemyError, psycopg.Error, sqlite3.Error)

#: Data exceptions and violated constraints. Everything else (a missing column, a missing
#: right, a read-only server, a full disk) is as wrong for the next row as for this one.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_DATA_CLASSES: Final = ("22", "23")


def is_data_fault(error: SQLAlchemyError) -> bool:
    """Whether another row might succeed where this one failed.

    A value that the driver refuses to send (a NUL in a text) has no SQLSTATE. An
    error of SQLAlchemy's own comes from our code; only the pool's are the database's.
    """
    if not isinstance(error, DBAPIError):
        return not isinstance(error, PoolTimeout | DisconnectionError)
    cause = error.orig
    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        return cause.sqlstate[:2] in _DATA_CLASSES
    return isinstance(error, DataError | IntegrityError)


def describe_fault(error: Exception) -> str:
    """Say in one line what the database refused: the first line of its own words."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause).strip().partition("\n")[0] or type(cause).__name__
    return f"{getattr(cause, 'sqlstate', None) or type(cause).__name__}: {text}"[:200]
