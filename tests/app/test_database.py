"""A connection that has died at rest is not given to anybody."""

from __future__ import annotations

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from app import database
from app.extensions import db


@pytest.fixture
def postgresql(live_app: Flask) -> str:
    """The address of the database, as psycopg takes it; SQLite has no connections to lose."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file does not hang up")
    db.engine.dispose()  # what other tests have left takes turns with ours
    url = db.engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def backend() -> int:
    with db.engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")))


def test_one_that_the_server_has_closed_is_replaced(postgresql):
    before = backend()
    with psycopg.connect(postgresql, autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
    assert backend() != before


def test_one_that_lives_is_used_again(postgresql):
    assert backend() == backend()


def test_one_that_has_rested_long_is_asked_and_used_again(postgresql, monkeypatch):
    monkeypatch.setattr(database, "RESTED_SECONDS", 0)
    before = backend()
    assert backend() == before
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == before


def test_one_with_something_to_say_is_asked_and_used_again(postgresql):
    """Not every word that lies unread is a farewell."""
    before = backend()
    with db.engine.connect() as connection:
        connection.execute(text("LISTEN news"))
        connection.commit()
    with psycopg.connect(postgresql, autocommit=True) as other:
        other.execute("NOTIFY news")
    assert backend() == before
    with db.engine.connect() as connection:
        connection.execute(text("UNLISTEN news"))
        connection.commit()


def test_a_loose_index_scan_finds_each_value_once_and_none_twice(live_app):
    rows = "(SELECT 3 AS bot, 0 AS state UNION ALL SELECT 7, 0 UNION ALL SELECT 3, 0"
    rows += " UNION ALL SELECT 9, 0 UNION ALL SELECT 5, 1) AS waiting"
    every = database.loose_index_scan(rows, "bot", "state = 0")
    behind = database.loose_index_scan(rows, "bot", "state = 0", after=":after")
    found = "SELECT id FROM next WHERE id IS NOT NULL ORDER BY id"
    with db.engine.connect() as connection:
        assert list(connection.scalars(text(f"WITH RECURSIVE {every} {found}"))) == [3, 7, 9]
        statement = text(f"WITH RECURSIVE {behind} {found}")
        assert list(connection.scalars(statement, {"after": 3})) == [7, 9]
        assert list(connection.scalars(statement, {"after": 9})) == []
