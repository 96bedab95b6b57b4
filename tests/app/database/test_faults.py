"""A fault of the database is told from a fault of a row."""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DisconnectionError, NoResultFound, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.database.connections import check_encoding
from app.database.faults import describe_fault, is_data_fault
from app.extensions import db
from app.service_urls import database_url

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


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_of_another_encoding_is_refused_by_name(
    postgresql_server, redis_server, encoding
):
    name = f"in_{encoding.lower()}"
    with psycopg.connect(postgresql_server.get_uri(), autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        )
    engine = create_engine(database_url(postgresql_server.get_uri(database=name)))
    with pytest.raises(SQLAlchemyError, match=f"encoding is {encoding}, and must be UTF8"):
        engine.connect()
    engine.dispose()
    for command in (["worker.py"], ["-c", "import wsgi"]):
        process = subprocess.run(
            [sys.executable, *command],
            env={
                **os.environ,
                "REDIS_URL": redis_server.url,
                "SECRET_KEY": "k" * 64,
                "DATABASE_URL": postgresql_server.get_uri(database=name),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert process.returncode > 0
        assert process.stderr.startswith(f"gatepost: DATABASE_URL: its encoding is {encoding}")
        assert "Traceback" not in process.stderr


def test_a_database_that_does_not_answer_is_not_judged_at_the_start():
    check_encoding("postgresql+psycopg://nobody@127.0.0.1:1/nothing")


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
    ],
)
def test_of_sqlalchemys_own_errors_only_the_pools_are_the_databases_fault(error, expected):
    assert is_data_fault(error) is expected
