"""One statement finds all that waits; an idle clock asks nothing else."""

import contextlib
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import event

from app.extensions import db
from app.models import Bot, ExportKind, Invite, InviteKind, InviteState, PostbackState, SourceMode
from app.schemas.exported_lists import LISTS
from app.services import maintenance, pending_work
from app.services.clicks.invites import keeper
from app.services.exports import prepared, writer
from app.services.lists import row_counts
from app.services.pending_work import PendingWork

NOTHING = PendingWork(*(False for _ in PendingWork._fields))


@contextlib.contextmanager
def noted() -> Iterator[list[str]]:
    """The statements that are executed meanwhile, but those that begin and end transactions."""
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        if "SAVEPOINT" not in statement:
            statements.append(statement)

    engine = db.session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_an_idle_clock_executes_one_statement(app, monkeypatch):
    now = time.time()
    monkeypatch.setattr(maintenance, "_last", dict.fromkeys(maintenance._last, now))
    with noted() as statements:
        assert maintenance.tick(now) == []
    assert [text.split()[0] for text in statements] == ["SELECT"]


def test_an_idle_minute_takes_two_statements_a_second(world, monkeypatch):
    """With all that is done once in it: the clock, the bots, and the invite links."""
    now = time.time()
    world.bot(checked=now)
    monkeypatch.setattr(maintenance, "_last", dict.fromkeys(maintenance._last, 0.0))
    monkeypatch.setattr(keeper, "_last", {"sweep": 0.0})
    keeper.has_work.clear()
    with noted() as statements:
        for second in range(60):
            assert maintenance.tick(now + second) == []
            if second % 5 == 0:
                maintenance.look_after_bots(now + second)
        assert not keeper.has_work.is_set()
        keeper.keep(now + 60)
    assert len(statements) <= 120


def test_where_nothing_is_stored_there_is_nothing_to_do(app):
    assert pending_work.look(time.time()) == NOTHING


def test_a_postback_that_is_due_is_found_and_one_for_later_not(app, world):
    now = time.time()
    world.postback(world.destination(), state=0, due=now + 30)
    row_counts.compact()
    assert pending_work.look(now) == NOTHING
    assert pending_work.look(now + 31) == NOTHING._replace(postbacks=True)


def test_what_waits_for_later_costs_one_statement_more(app, world):
    now = time.time()
    world.postback(world.destination(), state=0, due=now + 30)
    row_counts.compact()
    with noted() as statements:
        pending_work.look(now)
    assert len(statements) == 2
    assert "telegram_update" not in statements[1], "nothing of it is there"


def test_a_source_with_links_of_its_own_is_work_for_those_who_keep_them(world):
    assert not pending_work.look(time.time()).invites
    world.source(world.campaign(), mode=SourceMode.START)
    assert not pending_work.look(time.time()).invites
    world.source(world.campaign(), mode=SourceMode.AUTO)
    assert pending_work.look(time.time()).invites


def test_a_link_to_revoke_is_work_when_it_is_due_and_its_bot_may_be_asked(world):
    now = time.time()
    bot = world.bot()
    link = {"chat_id": -1, "link_key": "ab12", "link": "https://t.me/+ab12", "name": "g"}
    db.session.add(
        Invite(
            bot_id=bot,
            kind=InviteKind.SINGLE,
            made=int(now),
            state=InviteState.TO_REVOKE,
            due=now + 30,
            **link,
        )
    )
    db.session.commit()
    assert pending_work.look(now) == NOTHING
    assert pending_work.look(now + 31) == NOTHING._replace(invites=True)
    db.session.get_one(Bot, bot).paused = "Telegram refused the token"
    db.session.commit()
    assert pending_work.look(now + 31) == NOTHING


@pytest.mark.parametrize("jump", [-3600, 3600])
def test_what_is_due_is_found_after_the_clock_has_jumped(world, jump):
    """Whoever looks remembers no time: what is due by the clock as it stands now is found."""
    now = time.time()
    world.postback(world.destination(), state=0, due=now + jump)
    row_counts.compact()
    assert pending_work.look(now).postbacks is (jump < 0)
    assert pending_work.look(now + jump).postbacks


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
