"""A connection that has died at rest is not given to anybody."""

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from app.database import connections
from app.extensions import db


@pytest.fixture
def postgresql(live_app: Flask) -> str:
    """The address of the database, as psycopg takes it; SQLite has no connections to lose."""
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file does not hang up")
    db.engine.dispose()  # what other tests have left takes turns with ours
    url = db.engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def file(tmp_path) -> str:
    """A database of SQLite with nothing in it, whatever the others are tested on."""
    return str(tmp_path / "file.db")


def test_who_cannot_write_in_time_gets_the_fault_that_sqlalchemy_raises(file, monkeypatch):
    engine = create_engine(f"sqlite:///{file}", **connections.prepare_engine(f"sqlite:///{file}"))
    begin = connections.begin_to_write
    monkeypatch.setattr(connections, "begin_to_write", lambda connection: begin(connection, 0))
    with engine.connect() as reader, engine.connect() as first, engine.connect() as second:
        first.execute(text("CREATE TABLE held (id INTEGER)"))
        with pytest.raises(OperationalError, match="locked"):
            second.execute(text("SELECT 1"))
        reads = reader.execution_options(**{connections.ONLY_READS: True})
        assert reads.scalar(text("SELECT count(*) FROM sqlite_master")) == 0
    engine.dispose()


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
    monkeypatch.setattr(connections, "RESTED_SECONDS", 0)
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


def test_one_whose_server_takes_no_writes_any_more_is_not_kept(postgresql):
    """Nothing is written by it, so there is no error that would tell."""
    before = backend()
    with db.engine.connect() as connection:  # as a server says it to all its sessions
        connection.execute(text("SET default_transaction_read_only = on"))
        connection.commit()
    assert backend() != before
    assert backend() == backend()


def test_what_was_opened_before_a_demotion_was_noticed_is_not_used_again(postgresql):
    """It may rest at the same server, and would answer from what is past."""
    with db.engine.connect() as first, db.engine.connect() as second:
        before = {int(one.scalar(text("SELECT pg_backend_pid()"))) for one in (first, second)}
        second.execute(text("SET default_transaction_read_only = on"))
        second.commit()
    with db.engine.connect() as first, db.engine.connect() as second:
        after = {int(one.scalar(text("SELECT pg_backend_pid()"))) for one in (first, second)}
    assert len(before | after) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [("PGCLIENTENCODING", "latin1"), ("PGOPTIONS", "-c client_encoding=latin1")],
)
def test_every_name_is_written_whatever_encoding_the_surroundings_ask_for(
    postgresql, monkeypatch, name, value
):
    monkeypatch.setenv(name, value)
    db.engine.dispose()
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT CAST(:name AS text)"), {"name": "Аня 😀"}) == "Аня 😀"
        assert connection.scalar(text("SHOW client_encoding")) == "UTF8"
