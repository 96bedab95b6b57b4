"""Rows that SQLite writes one after the other are the same as those that PostgreSQL unfolds."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.database.rows import insert_rows, update_rows
from app.extensions import db
from app.models import Bot, Update, UpdateState, table_of

UPDATES = table_of(Update)
BOTS = table_of(Bot)
NAMES = ("bot_id", "update_id", "body", "received", "reason")


@pytest.fixture
def connection(live_app):
    with db.engine.connect() as connection:
        yield connection


def stored(connection):
    columns = (UPDATES.c[name] for name in ("update_id", "body", "received", "state", "reason"))
    return connection.execute(select(*columns).order_by(UPDATES.c.update_id)).all()


def insert(connection, *numbers, ignore_conflicts=False):
    rows = [(1, number, "", 2, None) for number in numbers]
    insert_rows(connection, UPDATES, NAMES, rows, ignore_conflicts=ignore_conflicts)


def test_what_is_not_given_is_what_the_model_says_and_bytes_are_bytes(connection):
    insert(connection, 7)
    (row,) = stored(connection)
    assert row == (7, b"", 2.0, UpdateState.WAITING, None)
    assert isinstance(row.received, float)


def test_a_row_that_is_there_is_a_fault_unless_it_may_be_left_out(connection):
    insert(connection, 7)
    insert(connection, 7, 8, ignore_conflicts=True)
    assert [row.update_id for row in stored(connection)] == [7, 8]
    with pytest.raises(IntegrityError):
        insert(connection, 9, 8)


def test_rows_are_updated_where_they_still_have_the_old_values_and_counted(connection):
    insert(connection, 1, 2, 3)
    ids = list(connection.scalars(select(UPDATES.c.id).order_by(UPDATES.c.update_id)))
    names = ["state", "reason", "body"]
    rows = [(ids[0], 1, "done", ""), (ids[1], 2, "late", ""), (10**9, 1, "", "")]
    assert update_rows(connection, UPDATES, names, rows, state=0) == 2
    assert update_rows(connection, UPDATES, names, [(ids[0], 3, "", "")], state=0) == 0
    assert update_rows(connection, UPDATES, ["reason"], []) == 0
    assert [(row.state, row.reason) for row in stored(connection)] == [
        (1, "done"), (2, "late"), (0, None),
    ]  # fmt: skip
