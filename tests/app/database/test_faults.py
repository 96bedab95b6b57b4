"""A fault of the database is told from a fault of a row."""

import sqlite3

import psycopg
import pytest
import redis
from sqlalchemy import text
from sqlalchemy.exc import (
    DisconnectionError,
    NoResultFound,
    OperationalError,
    PendingRollbackError,
    ResourceClosedError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.database.faults import (
    database_fault_of,
    describe_fault,
    is_data_fault,
    is_lock_timeout,
    outage_of,
)
from app.extensions import db

DATA = (
    "INSERT INTO account (id) VALUES (NULL)",
    "INSERT INTO unreachable (bot_id, subscriber, since, reason) VALUES (1, NULL, 1, '')",
)
DATABASE = ("SELECT no_such_column FROM account", "SELECT 1 FROM no_such_table")
ONLY_POSTGRESQL = {
    "SELECT 1 / 0": True,
    "SELECT CAST('x' AS int)": True,
    "SET TRANSACTION READ ONLY; DELETE FROM notice": False,
    "SET ROLE pg_monitor; DELETE FROM notice": False,
    "SET LOCAL statement_timeout = 1; SELECT pg_sleep(5)": False,
}


def fault_of(statement: str) -> SQLAlchemyError:
    *before, last = statement.split("; ")
    with db.engine.connect() as connection:
        for part in before:
            connection.execute(text(part))
        with pytest.raises(SQLAlchemyError) as caught:
            connection.execute(text(last))
    return caught.value


@pytest.mark.parametrize("statement", DATA)
def test_what_another_row_would_pass_is_the_datas_fault(live_app, statement):
    assert is_data_fault(fault_of(statement))


@pytest.mark.parametrize("statement", DATABASE)
def test_what_stops_every_row_is_the_databases_fault(live_app, statement):
    assert not is_data_fault(fault_of(statement))


@pytest.mark.parametrize(("statement", "expected"), ONLY_POSTGRESQL.items())
def test_the_class_of_the_sqlstate_decides(live_app, statement, expected):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no SQLSTATE")
    assert is_data_fault(fault_of(statement)) is expected


def test_a_fault_is_described_in_one_line(live_app):
    line = describe_fault(fault_of("SELECT no_such_column FROM account"))
    assert "no_such_column" in line
    assert "\n" not in line


def test_a_server_that_became_read_only_is_connected_to_anew(live_app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file has no standby")
    asked = text("SELECT pg_backend_pid()")
    with db.engine.connect() as connection:
        before = connection.scalar(asked)
    fault_of("SET TRANSACTION READ ONLY; DELETE FROM notice")
    with db.engine.connect() as connection:
        assert connection.scalar(asked) != before


def test_a_value_that_the_driver_does_not_send_is_the_datas_fault(live_app):
    """It has no SQLSTATE, for no server has seen it."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite keeps a NUL")
    with db.engine.connect() as connection, pytest.raises(SQLAlchemyError) as caught:
        connection.execute(text("SELECT CAST(:name AS text)"), {"name": "a\x00b"})
    assert caught.value.orig.sqlstate is None
    assert is_data_fault(caught.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NoResultFound(), True),
        (StatementError("", "", {}, ValueError()), True),
        (PoolTimeout(), False),
        (DisconnectionError(), False),
        (PendingRollbackError(), False),
        (ResourceClosedError(), False),
    ],
)
def test_of_sqlalchemys_own_errors_only_the_pools_are_the_databases_fault(error, expected):
    assert is_data_fault(error) is expected


#: What a driver or a network raises by itself, and whether everything else would fail as well.
RAW = {
    "a violated constraint": (psycopg.errors.UniqueViolation(), False),
    "a number out of range": (psycopg.errors.NumericValueOutOfRange(), False),
    "a NUL": (psycopg.DataError(), False),
    "a violated constraint of a file": (sqlite3.IntegrityError(), False),
    "a bug of ours": (KeyError(), False),
    "no connection": (psycopg.OperationalError(), True),
    "a missing column": (psycopg.errors.UndefinedColumn(), True),
    "no right": (psycopg.errors.InsufficientPrivilege(), True),
    "a read-only server": (psycopg.errors.ReadOnlySqlTransaction(), True),
    "a broken transaction": (psycopg.errors.InFailedSqlTransaction(), True),
    "a pipeline that was aborted": (psycopg.errors.PipelineAborted(), True),
    "a busy file": (sqlite3.OperationalError(), True),
    "no descriptor left": (OSError(24, "Too many open files"), True),
    "a reset": (ConnectionResetError(), True),
    "Redis": (redis.ConnectionError(), True),
}


@pytest.mark.parametrize(("error", "is_outage"), RAW.values(), ids=RAW)
def test_what_a_driver_raises_by_itself_is_told_apart_alike(error, is_outage):
    assert (outage_of(error) is error) is is_outage
    wrapped = RuntimeError("could not")
    wrapped.__cause__ = error
    assert (outage_of(wrapped) is error) is is_outage


@pytest.mark.parametrize(("error", "is_outage"), RAW.values(), ids=RAW)
def test_of_these_the_databases_are_known_by_who_raises_them(error, is_outage):
    is_the_databases = is_outage and not isinstance(error, OSError | redis.RedisError)
    assert (database_fault_of(error) is error) is is_the_databases
    wrapped = RuntimeError("could not")
    wrapped.__cause__ = error
    assert (database_fault_of(wrapped) is error) is is_the_databases


def test_a_lock_that_is_not_to_be_had_is_told_from_other_faults():
    held = psycopg.errors.LockNotAvailable("canceling statement due to lock timeout")
    wrapped = OperationalError("SELECT 1", {}, held)
    assert is_lock_timeout(held)
    assert is_lock_timeout(wrapped)
    assert not is_data_fault(wrapped)
    assert not is_lock_timeout(OperationalError("SELECT 1", {}, sqlite3.OperationalError()))
