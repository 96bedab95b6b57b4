"""Statements of a pipeline are executed together, and their faults look like any other's."""

import pytest
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError

from app.database.faults import is_data_fault
from app.database.pipelines import pipelined
from app.database.rows import insert_rows, update_rows
from app.extensions import db
from app.models import Update, table_of

UPDATES = table_of(Update)
COLUMNS = ["id", "bot_id", "update_id", "received", "state", "body"]


@pytest.fixture
def connection(live_app):
    with db.engine.connect() as connection:
        yield connection


def row(number: int, update_id: int | None = None) -> tuple[object, ...]:
    return number, 1, update_id or number, 1.0, 0, ""


def numbers(connection: Connection) -> list[int]:
    return list(connection.scalars(select(UPDATES.c.update_id).order_by(UPDATES.c.id)))


def test_all_statements_of_a_block_are_executed_in_their_order(connection):
    with pipelined(connection):
        insert_rows(connection, UPDATES, COLUMNS, [row(1), row(2)])
        update_rows(connection, UPDATES, ["update_id"], [(1, 7)], state=0)
        update_rows(connection, UPDATES, ["update_id"], [(2, 1)])
    assert numbers(connection) == [7, 1]
    connection.commit()
    assert numbers(connection) == [7, 1]


def test_an_empty_block_does_nothing(connection):
    with pipelined(connection):
        pass
    assert numbers(connection) == []


@pytest.mark.parametrize("behind", [0, 1, 30])
def test_a_violated_constraint_is_a_fault_of_the_data_and_nothing_is_kept(connection, behind):
    with pytest.raises(DBAPIError) as raised, pipelined(connection):  # noqa: PT012
        insert_rows(connection, UPDATES, COLUMNS, [row(1)])
        insert_rows(connection, UPDATES, COLUMNS, [row(2, update_id=1)])
        for number in range(behind):
            insert_rows(connection, UPDATES, COLUMNS, [row(3 + number)])
    assert is_data_fault(raised.value)
    connection.rollback()
    assert numbers(connection) == []
    connection.execute(insert(UPDATES), [dict(zip(COLUMNS, (*row(9)[:-1], b""), strict=True))])
    assert numbers(connection) == [9]


def test_a_missing_column_is_a_fault_of_the_database(connection):
    with pytest.raises(DBAPIError) as raised, pipelined(connection):
        connection.execute(text("UPDATE telegram_update SET nothing = 1"))
    assert not is_data_fault(raised.value)
    connection.rollback()


def test_a_fault_of_ours_inside_the_block_passes_through(connection):
    with pytest.raises(ZeroDivisionError), pipelined(connection):  # noqa: PT012
        insert_rows(connection, UPDATES, COLUMNS, [row(1)])
        raise ZeroDivisionError
    connection.rollback()
    assert numbers(connection) == []


def test_a_connection_that_dies_meanwhile_is_opened_anew(connection):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file does not hang up")
    own = connection.scalar(text("SELECT pg_backend_pid()"))
    with pytest.raises(DBAPIError) as raised, pipelined(connection):  # noqa: PT012
        with db.engine.connect() as killer:
            killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own})
        insert_rows(connection, UPDATES, COLUMNS, [row(1)])
    assert not is_data_fault(raised.value)
    connection.close()
    with db.engine.connect() as again:
        assert numbers(again) == []


def test_a_server_that_takes_no_writes_is_left(connection):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("only a server can be set read-only")
    connection.execute(text("SET TRANSACTION READ ONLY"))
    with pytest.raises(DBAPIError), pipelined(connection):
        insert_rows(connection, UPDATES, COLUMNS, [row(1)])
    assert connection.invalidated
    connection.close()
    with db.engine.begin() as again:
        insert_rows(again, UPDATES, COLUMNS, [row(1)])
