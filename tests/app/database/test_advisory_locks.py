"""One transaction at a time holds an advisory lock."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.database.advisory_locks import AdvisoryLock, lock, lock_queue, try_lock
from app.extensions import db


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
