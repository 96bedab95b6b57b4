"""Old rows go after the days that are set, a batch at a time, and nothing waits for it."""

import time
from dataclasses import replace

import pytest
from sqlalchemy import event, select, text

from app.config import current_settings
from app.database.advisory_locks import AdvisoryLock, lock
from app.extensions import db
from app.models import Attempt, Click, IdempotencyKey, JournalEntry, Update, UpdateState
from app.services import old_rows

DAY = 86_400


def delete(now: float, *, seconds: float = 60.0, **settings: int) -> bool:
    return old_rows.delete(now, replace(current_settings(), **settings), seconds)


def ids(model):
    return db.session.scalars(select(model.id).order_by(model.id)).all()


def test_updates_are_kept_for_as_long_as_telegram_may_repeat_them(app, world):
    now, bot = time.time(), world.bot()
    for number, (state, age) in enumerate(
        [
            (UpdateState.DONE, 4 * DAY),
            (UpdateState.DONE, 2 * DAY),
            (UpdateState.IGNORED, 4 * DAY),
            (UpdateState.WAITING, 99 * DAY),
            (UpdateState.QUARANTINED, 29 * DAY),
            (UpdateState.QUARANTINED, 31 * DAY),
        ]
    ):
        db.session.add(
            Update(bot_id=bot, update_id=number, body=b"{}", state=state, received=now - age)
        )
    db.session.commit()
    assert not delete(now)
    assert db.session.scalars(select(Update.update_id).order_by(Update.id)).all() == [1, 3, 4]


def test_addresses_and_browsers_are_kept_for_7_days(app, world):
    now = time.time()
    source = world.source(world.campaign())
    private = {"ip": "203.0.113.7", "ua": "Mozilla/5.0"}
    old = world.click(source, created=int(now) - 8 * DAY, **private)
    new = world.click(source, created=int(now) - 6 * DAY, **private)
    delete(now)
    rows = [db.session.get_one(Click, number, populate_existing=True) for number in (old, new)]
    assert [(row.ip, row.ua) for row in rows] == [(None, None), ("203.0.113.7", "Mozilla/5.0")]


@pytest.mark.parametrize(("days", "left"), [(90, 2), (30, 1)])
def test_clicks_are_kept_for_the_days_that_are_set(app, world, days, left):
    now, source = int(time.time()), world.source(world.campaign())
    made = [world.click(source, created=now - age * DAY) for age in (91, 89, 29)]
    delete(float(now), keep_clicks_days=days)
    assert ids(Click) == made[-left:]


def test_keys_of_calls_are_kept_for_two_days_and_go_a_batch_at_a_time(app, account, monkeypatch):
    now = time.time()
    for number, age in enumerate([3 * DAY] * 5 + [DAY]):
        key = {"key_hash": f"{number:064}", "request_hash": "0" * 64, "created": now - age}
        db.session.add(IdempotencyKey(account_id=account.id, **key))
    db.session.commit()
    assert delete(now, seconds=0.0) is False
    assert db.session.scalars(select(IdempotencyKey.created)).all() == [now - DAY]


def test_attempts_and_the_journal_are_kept_for_the_days_that_are_set(app, world):
    now, bot = time.time(), world.bot()
    postback = world.postback(world.destination())
    attempts = [world.attempt(postback, started=now - age * DAY) for age in (40, 20, 1)]
    entries = [world.entry(bot, -100, time=int(now) - age * DAY) for age in (400, 200, 1)]
    delete(now, keep_attempts_days=30, keep_journal_days=365)
    assert (ids(Attempt), ids(JournalEntry)) == (attempts[1:], entries[1:])


def test_zero_days_keep_attempts_and_the_journal_for_ever(app, world):
    world.attempt(world.postback(world.destination()), started=1.0)
    world.entry(world.bot(), -100, time=1)
    delete(time.time(), keep_attempts_days=0, keep_journal_days=0)
    assert len(ids(Attempt)) == len(ids(JournalEntry)) == 1


def test_a_transaction_deletes_one_batch_and_the_time_is_kept(app, world, monkeypatch):
    monkeypatch.setattr(old_rows, "BATCH", 2)
    monkeypatch.setattr(
        old_rows,
        "KINDS",
        (
            old_rows.OldRows(
                "attempt",
                lambda settings: settings.keep_attempts_days,
                old_rows._oldest("attempt", "started"),
            ),
        ),
    )
    postback = world.postback(world.destination())
    for _ in range(5):
        world.attempt(postback, started=1.0)
    counts: list[int] = []
    note = _rows_deleted(counts)
    event.listen(db.engine, "after_cursor_execute", note)
    assert delete(time.time(), seconds=0.0), "there are more"
    assert not delete(time.time())
    event.remove(db.engine, "after_cursor_execute", note)
    assert counts == [2, 2, 1]


def _rows_deleted(counts):
    def note(_connection, cursor, statement, *_):
        if statement.startswith("DELETE FROM attempt"):
            counts.append(cursor.rowcount)

    return note


def test_no_old_row_is_searched_for_beyond_the_first_of_the_table(app):
    """Attempts have no index by time: the plan must not read all of them."""
    statement = old_rows._oldest("attempt", "started")
    if db.engine.dialect.name == "sqlite":
        plan = db.session.execute(text(f"EXPLAIN QUERY PLAN {statement}"), {"old": 1.0}).all()
        assert "SEARCH attempt USING INTEGER PRIMARY KEY (rowid<?)" in str(plan)
        return
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = db.session.execute(text(f"EXPLAIN {statement}"), {"old": 1.0}).scalars().all()
    assert "Index Cond: (id <= " in "\n".join(plan)


def test_what_another_transaction_holds_is_left_for_later(live_app, world):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("its transactions have the database to themselves")
    postback = world.postback(world.destination())
    held, _free = (world.attempt(postback, started=1.0) for _ in range(2))
    with db.engine.connect() as another:
        another.execute(text("SELECT 1 FROM attempt WHERE id = :id FOR UPDATE"), {"id": held})
        delete(time.time())
        assert ids(Attempt) == [held]
    delete(time.time())
    assert not ids(Attempt)


def test_two_clocks_do_not_delete_at_once(live_app, world):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("its transactions have the database to themselves")
    attempt = world.attempt(world.postback(world.destination()), started=1.0)
    with db.engine.connect() as another:
        lock(another, AdvisoryLock.DELETE_OLD_ROWS)
        assert not delete(time.time())
        assert ids(Attempt) == [attempt]
