"""Each tick of the clock looks for work, whatever else goes wrong."""

import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app.database import advisory_locks
from app.database.advisory_locks import AdvisoryLock
from app.database.pipelines import pipelined
from app.extensions import db
from app.queues import Queue
from app.services import maintenance
from app.services.bots import bots, checks, webhooks
from app.services.lists import row_counts
from tests.support.track_bot import TOKEN, noted
from tests.support.waiting import eventually


def test_the_clock_rings_whatever_becomes_of_folding(app, world, monkeypatch):
    def fail(_seconds):
        raise OperationalError("fold", {}, Exception("it takes too long"))

    monkeypatch.setattr(row_counts, "compact", fail)
    destination = world.destination()
    world.postback(destination, state=0, due=0.0)
    assert maintenance.tick(time.time() + 60) == [Queue.POSTBACKS]


@pytest.fixture(autouse=True)
def never_ticked(monkeypatch):
    """As in a process that has just started."""
    monkeypatch.setattr(maintenance, "_last", dict.fromkeys(maintenance._last, 0.0))


def test_what_is_old_is_deleted_once_a_minute_and_sooner_while_more_is_left(app, monkeypatch):
    left, seen = iter([True, True, False, False]), []

    def delete(now, settings, seconds):
        assert seconds < 1
        seen.append((now, settings.keep_journal_days))
        return next(left)

    monkeypatch.setattr(maintenance.old_rows, "delete", delete)
    now = time.time()
    for later in (0, 1, 2, 3, 30, 63):
        maintenance.tick(now + later)
    assert seen == [(now + later, 0) for later in (0, 1, 2, 63)]


def test_what_is_done_once_a_minute_goes_on_when_the_clock_is_set_back(app, monkeypatch):
    done = []
    monkeypatch.setattr(maintenance.old_rows, "delete", lambda *_: done.append("forget"))
    monkeypatch.setattr(
        maintenance.service_bot, "ensure_connected", lambda: bool(done.append("bot")) or True
    )
    monkeypatch.setattr(maintenance.webhooks, "reconcile", lambda: done.append("webhooks"))
    now = time.time()
    for later in (0, -3600):
        maintenance.tick(now + later)
        maintenance.look_after_bots(now + later)
    assert done == 2 * ["forget", "bot", "webhooks"]


def test_a_service_bot_that_telegram_refuses_is_tried_again_soon(app, monkeypatch):
    now, tried = time.time(), []
    monkeypatch.setattr(maintenance.service_bot, "ensure_connected", lambda: tried.append(1))
    for seconds in (0, 1, maintenance.AGAIN_AFTER, maintenance.AGAIN_AFTER + 1):
        maintenance.tick(now + seconds)
    assert len(tried) == 2


def test_a_clock_without_work_names_no_queue(app):
    assert maintenance.tick(time.time()) == []


def test_bots_that_are_due_are_checked_and_a_lost_webhook_is_set_again(telegram, account):
    checks.BUCKETS.forget()
    bot = bots.add(account.id, TOKEN)
    url, now = noted(bot), time.time()
    db.session.commit()
    webhooks.api_of(TOKEN).call("setWebhook", url="http://127.0.0.1:8/another")
    maintenance.look_after_bots(now)
    assert telegram.webhook_info(TOKEN)["url"] == url
    webhooks.api_of(TOKEN).call("setWebhook", url="http://127.0.0.1:8/another")
    maintenance.look_after_bots(now + maintenance.RECONCILE_EVERY)
    assert telegram.webhook_info(TOKEN)["url"] != url, "it was checked a minute ago"
    maintenance.look_after_bots(now + checks.CHECK_SECONDS)
    assert telegram.webhook_info(TOKEN)["url"] == url


def test_a_claim_that_froze_in_a_pipeline_is_ended_for_those_who_wait_and_told(
    live_app, monkeypatch
):
    monkeypatch.setattr(advisory_locks.end_stalled, "__defaults__", (0.0,))
    if db.engine.dialect.name == "sqlite":
        assert maintenance.end_stalled() == 0
        return
    frozen, other = db.engine.connect(), db.engine.connect()
    advisory_locks.lock_queue(frozen, AdvisoryLock.CLAIM_POSTBACKS)
    block = pipelined(frozen)
    block.__enter__()
    frozen.execute(text("UPDATE account SET lang = lang"))
    with capture_logs() as lines:
        eventually(maintenance.end_stalled)
    assert [line["event"] for line in lines] == ["database.stalled_ended"]
    advisory_locks.lock_queue(other, AdvisoryLock.CLAIM_POSTBACKS)  # waits until it has ended
    other.close()
    del block
    frozen.invalidate()
    frozen.close()
