"""Each tick of the clock looks for work, whatever else goes wrong."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.models import Click, Update, UpdateState
from app.queues import Queue
from app.services import maintenance
from app.services.bots import bots, checks, webhooks
from app.services.lists import row_counts
from tests.support.track_bot import TOKEN, noted


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


def test_updates_are_forgotten_when_telegram_repeats_them_no_more(app, world):
    now, bot = time.time(), world.bot()
    day = 86_400
    for number, (state, age) in enumerate(
        [
            (UpdateState.DONE, 4 * day),
            (UpdateState.DONE, 2 * day),
            (UpdateState.IGNORED, 4 * day),
            (UpdateState.WAITING, 99 * day),
            (UpdateState.QUARANTINED, 29 * day),
            (UpdateState.QUARANTINED, 31 * day),
        ]
    ):
        db.session.add(
            Update(bot_id=bot, update_id=number, body=b"{}", state=state, received=now - age)
        )
    db.session.commit()
    maintenance.tick(now)
    assert db.session.scalars(select(Update.update_id).order_by(Update.id)).all() == [1, 3, 4]


def test_addresses_and_browsers_are_kept_for_7_days(app, world):
    now = time.time()
    source = world.source(world.campaign())
    private = {"ip": "203.0.113.7", "ua": "Mozilla/5.0"}
    old = world.click(source, created=int(now) - 8 * 86_400, **private)
    new = world.click(source, created=int(now) - 6 * 86_400, **private)
    maintenance.tick(now)
    rows = [db.session.get_one(Click, number, populate_existing=True) for number in (old, new)]
    assert [(row.ip, row.ua) for row in rows] == [(None, None), ("203.0.113.7", "Mozilla/5.0")]


def test_clicks_are_kept_for_90_days(app, world):
    now, source = int(time.time()), world.source(world.campaign())
    kept = world.click(source, created=now - 89 * 86_400)
    world.click(source, created=now - 91 * 86_400)
    maintenance.tick(float(now))
    assert db.session.scalars(select(Click.id)).all() == [kept]


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
