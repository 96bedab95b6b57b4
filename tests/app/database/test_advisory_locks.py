"""One transaction at a time holds an advisory lock."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.database.advisory_locks import (
    AdvisoryLock,
    end_stalled,
    lock,
    lock_queue,
    try_lock,
)
from app.database.pipelines import pipelined
from app.extensions import db
from tests.support.waiting import eventually


def test_an_advisory_lock_shuts_out_others_until_its_transaction_ends(live_app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a transaction has the file to itself")
    key = AdvisoryLock.SEND_DIGESTS
    with db.engine.connect() as holder, db.engine.connect() as other:
        lock(holder, key)
        assert not try_lock(other, key)
        assert try_lock(other, AdvisoryLock.CLAIM_MESSAGES)
        holder.rollback()
        assert try_lock(other, key)


def test_the_indexes_of_a_queue_are_scanned_without_bitmaps_while_it_is_locked(live_app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("it has no such scans")
    with db.engine.connect() as holder, db.engine.connect() as other:
        lock_queue(holder, AdvisoryLock.CLAIM_POSTBACKS)
        assert not try_lock(other, AdvisoryLock.CLAIM_POSTBACKS)
        assert holder.scalar(text("SHOW idle_in_transaction_session_timeout")) == "5s"
        for setting in ("enable_bitmapscan", "enable_seqscan"):
            assert holder.scalar(text(f"SHOW {setting}")) == "off"
        holder.commit()
        for setting in ("enable_bitmapscan", "enable_seqscan"):
            assert holder.scalar(text(f"SHOW {setting}")) == "on"


def test_who_stops_in_the_middle_of_a_claim_does_not_keep_the_others_from_theirs(live_app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("its locks are the system's, and end with their process")
    with db.engine.connect() as frozen, db.engine.connect() as other:
        lock_queue(frozen, AdvisoryLock.CLAIM_POSTBACKS)
        lock_queue(other, AdvisoryLock.CLAIM_POSTBACKS)  # waits, and not for ever
        with pytest.raises(DBAPIError, match="idle-in-transaction"):
            frozen.execute(text("SELECT 1"))
    with db.engine.connect() as woken:
        assert woken.scalar(text("SELECT 1")) == 1


def backend(connection):
    return connection.scalar(text("SELECT pg_backend_pid()"))


def stop_in_a_pipeline(connection):
    """Send a statement and not the end of its pipeline."""
    block = pipelined(connection)
    block.__enter__()
    connection.execute(text("UPDATE account SET lang = lang"))
    return block


def stop_reading(connection):
    """Ask for more than the sockets hold, and take none of it."""
    driver = connection.connection.driver_connection.pgconn
    driver.send_query(b"SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
    driver.flush()
    return driver


def waits_for_its_owner(connection, pid):
    query = text("SELECT wait_event_type = 'Client' AND state = 'active'"
                 " FROM pg_stat_activity WHERE pid = :pid")  # fmt: skip
    found = connection.scalar(query, {"pid": pid})
    connection.rollback()
    return found


@pytest.fixture
def watcher(live_app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("its locks are the system's, and end with their process")
    with db.engine.connect() as connection:
        yield connection


@pytest.mark.parametrize("stop", [stop_in_a_pipeline, stop_reading])
@pytest.mark.parametrize("offset", [None, 7], ids=["queue", "bot"])
def test_a_holder_that_no_time_limit_of_the_server_sees_is_ended(watcher, stop, offset):
    frozen = db.engine.connect()
    pid = backend(frozen)
    if offset is None:
        lock_queue(frozen, AdvisoryLock.CLAIM_MESSAGES)
    else:
        lock(frozen, AdvisoryLock.BOTS, offset)
    stopped = stop(frozen)
    eventually(lambda: waits_for_its_owner(watcher, pid))
    assert end_stalled(watcher) == 0  # it may still go on
    watcher.rollback()
    assert end_stalled(watcher, 0.0) == 1
    watcher.rollback()
    eventually(lambda: waits_for_its_owner(watcher, pid) is None)
    del stopped
    frozen.invalidate()
    frozen.close()


@pytest.mark.parametrize("stop", [stop_in_a_pipeline, stop_reading])
def test_who_holds_no_lock_of_ours_may_wait_for_its_owner(watcher, stop):
    """A dump of the database, or whatever else runs under this name."""
    with db.engine.connect() as other:
        pid = backend(other)
        other.execute(text("SELECT pg_advisory_xact_lock(1)"))
        stopped = stop(other)
        eventually(lambda: waits_for_its_owner(watcher, pid))
        assert end_stalled(watcher, 0.0) == 0
        del stopped
        other.invalidate()
