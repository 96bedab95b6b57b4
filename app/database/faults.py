"""Whose fault an error is: the data's, or that of the database, its driver, or a network."""

import sqlite3
from typing import Final

import psycopg
import redis
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    PendingRollbackError,
    ResourceClosedError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

#: What our statements raise, by SQLAlchemy or straight from a driver.
DATABASE_FAULTS: Final = (SQLAlchemyError, psycopg.Error, sqlite3.Error)
#: The same, and what a network, a disk or Redis raises.
OUTAGES: Final = (*DATABASE_FAULTS, redis.RedisError, OSError)

#: Data exceptions and violated constraints. Everything else (a missing column, a missing
#: right, a read-only server, a full disk) is as wrong for the next row as for this one.
#: https://www.postgresql.org/docs/current/errcodes-appendix.html
_DATA_CLASSES: Final = ("22", "23")
#: What SQLAlchemy itself raises when a connection is gone or none is free; the rest of its own
#: errors come from our code.
_CONNECTION_FAULTS: Final = (
    PoolTimeout,
    DisconnectionError,
    PendingRollbackError,
    ResourceClosedError,
)
#: What has no SQLSTATE: a value that the driver refuses to send (a NUL in a text), and SQLite.
_DATA_FAULTS: Final = (
    DataError,
    IntegrityError,
    psycopg.DataError,
    psycopg.IntegrityError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
)


def is_data_fault(error: Exception) -> bool:
    """Whether another row might succeed where this one failed; `error` is one of OUTAGES."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, psycopg.Error) and cause.sqlstate:
        return cause.sqlstate[:2] in _DATA_CLASSES
    if isinstance(error, SQLAlchemyError) and not isinstance(error, DBAPIError):
        return not isinstance(error, _CONNECTION_FAULTS)
    return isinstance(error, _DATA_FAULTS)


def is_lock_timeout(error: Exception) -> bool:
    """Whether somebody else has held what a statement needs for longer than `lock_timeout`."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, psycopg.errors.LockNotAvailable)


def outage_of(error: BaseException | None) -> Exception | None:
    """Return the fault of database, driver or network that `error` is or comes from; else None."""
    return _first_of(OUTAGES, error)


def database_fault_of(error: BaseException | None) -> Exception | None:
    """Return the fault of the database or its driver that `error` is or comes from; else None."""
    return _first_of(DATABASE_FAULTS, error)


def _first_of(kinds: tuple[type[Exception], ...], error: BaseException | None) -> Exception | None:
    """The first of `kinds` among `error` and its causes; None if a row is at fault."""
    while error is not None:
        if isinstance(error, kinds):
            return None if is_data_fault(error) else error
        error = error.__cause__
    return None


def describe_fault(error: Exception) -> str:
    """Say in one line what the database refused: the first line of its own words."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause).strip().partition("\n")[0] or type(cause).__name__
    return f"{getattr(cause, 'sqlstate', None) or type(cause).__name__}: {text}"[:200]
