"""The doctor tells of growth, of work that waits, and of bots that need mending."""

import time

from sqlalchemy import text

from app.cli import workload
from app.extensions import db, wakeup
from app.models import Bot, BotFault, Update
from app.services import lease_reclaims


def test_growth_is_told_by_table_and_by_day(app, world):
    postback = world.postback(world.destination(), created=1.0)
    for _ in range(2):
        world.attempt(postback, started=time.time())
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ANALYZE attempt"))
    check = workload.growth_by_table()
    assert check.ok
    assert "attempt 2" in check.finding.partition(";")[0]
    assert check.finding.endswith("rows of the last day: attempt 2")


def test_how_long_the_oldest_waits_and_what_was_taken_over_are_told(app, world, redis_server):
    assert workload.waiting().ok
    lease_reclaims.record(lease_reclaims.MESSAGES, 2)
    db.session.add(Update(bot_id=1, update_id=1, body=b"{}", received=time.time() - 90))
    db.session.commit()
    check = workload.waiting()
    assert not check.ok
    assert check.finding.startswith("oldest due: updates 90 s, postbacks 0 s")
    assert check.finding.endswith("dead workers: messages 2")
    wakeup.open("redis://127.0.0.1:1")
    try:
        assert workload.waiting().finding.endswith("Redis does not tell what was taken over")
    finally:
        wakeup.open(redis_server.url)


def test_bots_with_faults_are_named_until_there_are_too_many(app, world):
    assert workload.bots().finding == "none has a fault"
    for number in range(workload.NAMED + 1):
        bot = world.bot(username=f"bot{number}bot")
        db.session.add(BotFault(bot_id=bot, kind="webhook", since=number, seen=1.0, repairs=number))
    db.session.commit()
    finding = workload.bots().finding
    assert "@bot0bot webhook, " in finding
    assert "@bot1bot webhook (set again 1 times)" in finding
    assert finding.endswith(" and more")
    assert "@bot5bot" not in finding


def test_bots_whose_updates_wait_at_telegram_are_named_with_its_words(app, world):
    quiet, many, failing, old = (world.bot(username=f"{name}_bot") for name in "qmfo")
    now = int(time.time())
    for bot, pending, error, ago in (
        (quiet, 3, "", now),
        (many, 250, "Connection refused", 90_000),
        (failing, 1, "Wrong response from the webhook: 500", 60),
        (old, 0, "Connection refused", 90_000),
    ):
        row = db.session.get_one(Bot, bot)
        row.webhook_pending, row.webhook_error, row.webhook_error_time = pending, error, now - ago
    db.session.commit()
    assert workload.bots().finding == (
        f"none has a fault; updates that waited at Telegram: {many} @m_bot 250,"
        f" {failing} @f_bot 1 (Wrong response from the webhook: 500)"
    )
