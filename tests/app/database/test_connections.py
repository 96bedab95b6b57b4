"""A connection that has died at rest is not given to anybody."""

import sqlite3

import psycopg
import pytest
from flask import Flask
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import OperationalError

from app.database import connections
from app.database.advisory_locks import AdvisoryLock, lock, lock_queue, try_lock
from app.extensions import db
from app.models import Account


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
            second.execute(text("CREATE TABLE another (id INTEGER)"))
        assert reader.scalar(text("SELECT count(*) FROM sqlite_master")) == 0
    engine.dispose()


def backend() -> int:
    with db.engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_backend_pid()")))


def test_one_that_the_server_has_closed_is_replaced(postgresql):
    before = backend()
    with psycopg.connect(postgresql, autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
    assert backend() != before


def test_the_server_ends_a_transaction_that_does_nothing_but_for_as_long_as_its_operator_says(
    postgresql,
):
    def limit(url):
        engine = create_engine(url, **connections.prepare_engine(url))
        with engine.connect() as connection:
            found = connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
        engine.dispose()
        return found

    own = "options=-c%20idle_in_transaction_session_timeout%3D7min"
    url = postgresql.replace("postgresql:", "postgresql+psycopg:")
    assert limit(url) == "1min"
    assert limit(f"{url}{'&' if '?' in url else '?'}{own}") == "7min"


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


@pytest.fixture
def another(live_app, account):
    """Another connection to the same file of SQLite, that waits for nobody."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has as many writers as there are rows")
    other = sqlite3.connect(db.engine.url.database, isolation_level=None, timeout=0)
    yield other
    other.close()
    db.session.remove()


def may_write(other: sqlite3.Connection) -> bool:
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    other.execute("ROLLBACK")
    return True


LOCKING = {
    "a write": lambda: db.session.execute(text("UPDATE account SET name = 'new'")),
    "a write behind WITH": lambda: db.session.execute(
        text("WITH one AS (SELECT 1) UPDATE account SET name = 'new' FROM one")
    ),
    "a row that is locked": lambda: db.session.scalar(select(Account.id).with_for_update()),
    "an object that is locked": lambda: db.session.get(Account, 1, with_for_update=True),
    "a savepoint": lambda: db.session.connection().begin_nested(),
    "a lock": lambda: lock(db.session.connection(), AdvisoryLock.BOTS, 1),
    "a queue's lock": lambda: lock_queue(db.session.connection(), AdvisoryLock.CLAIM_POSTBACKS),
    "a lock that is tried": lambda: try_lock(db.session.connection(), AdvisoryLock.SEND_DIGESTS),
}


@pytest.mark.parametrize("step", LOCKING)
def test_a_transaction_of_sqlite_writes_from_its_first_lock_on(another, step):
    db.session.scalars(select(Account)).all()
    db.session.execute(text("WITH one AS (SELECT 1) SELECT * FROM one")).all()
    assert may_write(another)
    LOCKING[step]()
    assert not may_write(another)
    db.session.rollback()
    assert may_write(another)


def test_what_others_wrote_before_the_lock_is_seen_behind_it_and_no_fault(another):
    """A snapshot that was kept since the first read would make the write fail at once."""
    assert db.session.scalar(select(func.count()).select_from(Account)) == 1
    another.execute("UPDATE account SET name = 'theirs'")
    name = db.session.scalar(select(Account.name).with_for_update())
    assert name == "theirs"
    db.session.execute(text("UPDATE account SET name = 'ours'"))
    db.session.rollback()
    assert db.session.scalar(select(Account.name)) == "theirs"
