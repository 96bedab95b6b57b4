"""Statements that the driver is asked: rows, faults and transactions are as SQLAlchemy's."""

from typing import Any

import pytest
from sqlalchemy import Boolean, event, literal, null, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from app.database.direct import among, execute, execute_all, fetch
from app.database.faults import OUTAGES
from app.database.pipelines import pipelined
from app.database.rows import is_postgresql
from app.extensions import db
from app.models import Update, table_of

UPDATES = table_of(Update)
INSERT = text(
    "INSERT INTO telegram_update (bot_id, update_id, received, state, body)"
    " VALUES (1, :number, 1.0, 0, '')"
)
SEEN = select(UPDATES.c.update_id, UPDATES.c.bot_id).where(UPDATES.c.bot_id == 1).order_by("id")


@pytest.fixture
def connection(live_app):
    with db.engine.connect() as connection:
        yield connection


def numbers(connection: Any) -> list[int]:
    return [row.update_id for row in fetch(connection, SEEN, {})]


def test_rows_have_their_columns_as_attributes_and_touched_rows_are_counted(connection):
    assert execute(connection, INSERT, {"number": 7}) == 1
    (row,) = fetch(connection, SEEN, {})
    assert (row.update_id, row.bot_id) == (7, 1)


def test_what_is_not_committed_is_rolled_back(connection):
    execute(connection, INSERT, {"number": 7})
    connection.rollback()
    assert numbers(connection) == []
    execute(connection, INSERT, {"number": 8})
    connection.commit()
    connection.rollback()
    assert numbers(connection) == [8]


def test_a_violated_constraint_is_the_error_that_sqlalchemy_raises(connection):
    execute(connection, INSERT, {"number": 7})
    with pytest.raises(IntegrityError) as raised:
        execute(connection, INSERT, {"number": 7})
    assert not isinstance(raised.value, OperationalError)
    connection.rollback()
    assert numbers(connection) == []


def test_several_statements_go_as_one_and_the_rows_of_the_last_are_counted(connection):
    assert execute_all(connection, []) == 0
    execute_all(connection, [(INSERT, {"number": number}) for number in (1, 2)])
    seen = []
    event.listen(connection, "before_cursor_execute", lambda *call: seen.append(call[2]))
    change = text("UPDATE telegram_update SET state = :new WHERE state = :old AND update_id < 9")
    written = execute_all(connection, [(INSERT, {"number": 9}), (change, {"new": 1, "old": 0})])
    assert written == 2
    assert len(seen) == (1 if is_postgresql(connection) else 2)
    assert sorted(numbers(connection)) == [1, 2, 9]


def test_a_fault_of_one_of_several_statements_leaves_nothing_of_the_others(connection):
    execute(connection, INSERT, {"number": 7})
    connection.commit()
    with pytest.raises(IntegrityError):
        execute_all(connection, [(INSERT, {"number": 8}), (INSERT, {"number": 7})])
    connection.rollback()
    assert numbers(connection) == [7]


def test_in_a_pipeline_each_statement_has_a_cursor_of_its_own(connection):
    with pipelined(connection):
        for number in (1, 2, 3):
            execute(connection, INSERT, {"number": number})
    assert numbers(connection) == [1, 2, 3]


def test_a_list_of_any_length_is_one_parameter(connection):
    for number in (1, 2, 3):
        execute(connection, INSERT, {"number": number})
    chosen = select(UPDATES.c.update_id).where(
        among(is_postgresql(connection), UPDATES.c.update_id, "numbers")
    )
    for numbers_ in ([], [2], [3, 1, 9]):
        rows = fetch(connection, chosen, {"numbers": numbers_})
        assert {row.update_id for row in rows} == set(numbers_) & {1, 2, 3}


def test_truth_values_are_truth_values_on_both_databases(connection):
    values = {"yes": literal(True), "no": literal(False), "unknown": null().cast(Boolean)}
    columns = [value.label(name) for name, value in values.items()]
    (row,) = fetch(connection, select(*columns, literal(1).label("one")), {})
    assert [row.yes, row.no, row.unknown, row.one] == [True, False, None, 1]
    assert row.yes is True
    assert row.one is not True


def test_on_sqlite_a_statement_is_executed_for_row_after_row(connection):
    if is_postgresql(connection):
        pytest.skip("there the rows of a statement are one parameter")
    sql = "UPDATE telegram_update SET state = 1 WHERE update_id = ?"
    for number in (1, 2, 3):
        execute(connection, INSERT, {"number": number})
    assert execute_all(connection, [(sql, [(1,), (3,), (4,)])]) == 2


def test_who_listens_hears_of_each_statement(connection):
    heard: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *args: heard.append(args[2]))
    numbers(connection)
    assert "FROM telegram_update" in heard[-1]


def test_a_connection_that_died_is_an_outage_and_the_next_one_works(connection):
    if not is_postgresql(connection):
        pytest.skip("a file does not hang up")
    (row,) = fetch(connection, text("SELECT pg_backend_pid() AS pid"), {})
    with db.engine.connect() as other:
        fetch(other, text("SELECT pg_terminate_backend(:pid) AS done"), {"pid": row.pid})
    with pytest.raises(OUTAGES):
        numbers(connection)
    connection.rollback()
    assert numbers(connection) == []
