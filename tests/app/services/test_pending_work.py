"""One statement finds all that waits; an idle clock asks nothing else."""

import time

from sqlalchemy import event

from app.extensions import db
from app.models import ExportKind, PostbackState
from app.schemas.exported_lists import LISTS
from app.services import maintenance, pending_work
from app.services.exports import prepared, writer
from app.services.lists import row_counts
from app.services.pending_work import PendingWork

NOTHING = PendingWork(*(False for _ in PendingWork._fields))


def test_an_idle_clock_executes_one_statement(app, monkeypatch):
    now = time.time()
    monkeypatch.setattr(maintenance, "_last", dict.fromkeys(maintenance._last, now))
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    engine = db.session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert maintenance.tick(now) == []
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert [text.split()[0] for text in statements if "SAVEPOINT" not in text] == ["SELECT"]


def test_where_nothing_is_stored_there_is_nothing_to_do(app):
    assert pending_work.look(time.time()) == NOTHING


def test_a_postback_that_is_due_is_found_and_one_for_later_not(app, world):
    now = time.time()
    world.postback(world.destination(), state=0, due=now + 30)
    row_counts.compact()
    assert pending_work.look(now) == NOTHING
    assert pending_work.look(now + 31) == NOTHING._replace(postbacks=True)


def test_counts_that_are_fresh_are_found_until_they_are_added_up(app, world):
    now = time.time()
    world.postback(world.destination(), state=0, due=now + 30)
    assert pending_work.look(now).fresh_counts
    row_counts.compact()
    assert not pending_work.look(now).fresh_counts


def test_a_lease_that_has_expired_is_to_be_swept(app, world):
    now = time.time()
    world.postback(world.destination(), state=PostbackState.SENDING, lease="x", lease_until=now + 5)
    assert not pending_work.look(now).postbacks_to_sweep
    assert pending_work.look(now + 6).postbacks_to_sweep


def test_what_the_sweep_lets_wait_again_is_announced_in_the_same_tick(app, world):
    now = time.time()
    world.postback(
        world.destination(), state=PostbackState.SENDING, lease="x", lease_until=now - 1, due=0.0
    )
    assert "postbacks" in maintenance.tick(now)


def test_a_file_that_is_asked_for_is_found_until_it_is_written(app, account):
    options = {"query": "", "zone": "UTC", "estimate": 0, "now": time.time()}
    prepared.add(account.id, ExportKind.LEADS, {}, **options)
    assert pending_work.look(time.time()) == NOTHING._replace(exports=True)
    writer.work(LISTS)
    assert pending_work.look(time.time()) == NOTHING
