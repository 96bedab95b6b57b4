"""Long polling through the same inbox, one poller per bot, nothing lost."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app.extensions import db
from app.models import Account, Bot, BotStatus, Update
from app.outbound.telegram import TelegramRefused
from app.sandbox.telegram import faults
from app.services.bots import bots, webhooks
from app.services.bots import faults as faults_of_bots
from app.services.updates.contention import Contention
from app.services.updates.polling import Poller

TOKEN = "4242:AAsecret-part_of-the-token"
PATIENCE = 120.0


@pytest.fixture
def telegram(live_app: Flask, bot_api: Any) -> Any:
    bot_api.add_bot(TOKEN, "trackbot")
    return bot_api


@contextmanager
def polling(app: Flask, **options: Any) -> Iterator[threading.Event]:
    """A poller at work in a thread."""
    stop = threading.Event()

    def work() -> None:
        with app.app_context():
            Poller(**{"poll_seconds": 2, "refresh_seconds": 0.05} | options).run(stop)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def eventually(check: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        db.session.rollback()
        db.session.expire_all()
        if check():
            db.session.rollback()
            return
        db.session.rollback()
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


def _text(number: int, **fields: Any) -> dict[str, Any]:
    return {"message": {"message_id": number, "date": 1, "text": f"t{number}", **fields}}


def _stored() -> int:
    return int(db.session.scalar(select(func.count()).select_from(Update)) or 0)


def _bot(account: Account) -> int:
    id_ = bots.add(account.id, TOKEN).id
    db.session.commit()
    return id_


def test_updates_arrive_and_telegram_forgets_them(
    live_app: Flask, telegram: Any, account: Account
) -> None:
    bot_id = _bot(account)
    ids = [telegram.push(TOKEN, _text(number)) for number in range(5)]
    with polling(live_app):
        eventually(lambda: _stored() == 5)
        eventually(lambda: telegram.pending(TOKEN) == 0)
        later = telegram.push(TOKEN, _text(9))
        eventually(lambda: _stored() == 6)
    rows = db.session.scalars(select(Update).order_by(Update.id)).all()
    assert [row.update_id for row in rows] == [*ids, later]
    assert {row.bot_id for row in rows} == {bot_id}
    assert orjson.loads(rows[0].body)["message"]["text"] == "t0"


def test_exactly_our_kinds_are_asked_for(live_app: Flask, telegram: Any, account: Account) -> None:
    _bot(account)
    with polling(live_app):
        eventually(lambda: telegram.calls(TOKEN, "getUpdates"))
    call = telegram.calls(TOKEN, "getUpdates")[0]
    assert set(call.params["allowed_updates"]) == set(webhooks.ALLOWED_UPDATES)


def test_a_bot_connected_later_is_noticed(live_app: Flask, telegram: Any, account: Account) -> None:
    with polling(live_app):
        bot_id = _bot(account)
        telegram.push(TOKEN, _text(1))
        eventually(lambda: _stored() == 1)
        bots.remove(account.id, bot_id)
        before = len(telegram.calls(TOKEN, "getUpdates"))
        telegram.push(TOKEN, _text(2))
        time.sleep(0.3)  # what goes on asking is seen then, however slow the machine
        assert len(telegram.calls(TOKEN, "getUpdates")) <= before + 1


def test_two_pollers_share_the_bots_and_never_one_of_them(
    live_app: Flask, telegram: Any, account: Account
) -> None:
    _bot(account)
    with polling(live_app), polling(live_app):
        for number in range(30):
            telegram.push(TOKEN, _text(number))
        eventually(lambda: _stored() == 30)
    assert not telegram.violations
    polls = telegram.calls(TOKEN, "getUpdates")
    assert all(call.params.get("timeout") == 2 for call in polls)


def test_a_webhook_of_someone_else_is_taken_away_once(
    live_app: Flask, telegram: Any, account: Account, change_settings: Callable[..., None]
) -> None:
    change_settings(public_url="http://127.0.0.1:9")
    bot_id = _bot(account)
    change_settings(public_url="")
    telegram.push(TOKEN, _text(1))
    with polling(live_app):
        eventually(lambda: _stored() == 1)
    assert telegram.webhook_info(TOKEN)["url"] == ""
    assert db.session.get_one(Bot, bot_id).webhook_url == ""


def test_another_program_that_polls_makes_us_wait_not_fight(
    live_app: Flask, telegram: Any, account: Account
) -> None:
    _bot(account)
    telegram.fail(TOKEN, "getUpdates", faults.CONFLICT, times=-1)
    with polling(live_app):
        eventually(lambda: len(telegram.calls(TOKEN, "getUpdates")) >= 3)
    assert len(telegram.calls(TOKEN, "deleteWebhook")) <= 2  # one of bots.add


def test_a_dead_token_pauses_the_bot(live_app: Flask, telegram: Any, account: Account) -> None:
    bot_id = _bot(account)
    telegram.fail(TOKEN, "getUpdates", faults.UNAUTHORIZED, times=-1)
    with polling(live_app):
        eventually(lambda: db.session.get_one(Bot, bot_id).paused)
    assert db.session.get_one(Bot, bot_id).status == BotStatus.WARNING
    assert len(telegram.calls(TOKEN, "getUpdates")) == 1


@pytest.mark.parametrize("fault", [faults.SERVER_ERROR, faults.RESET, faults.MALFORMED])
def test_a_failed_poll_loses_nothing(
    live_app: Flask, telegram: Any, account: Account, fault: faults.Fault
) -> None:
    _bot(account)
    telegram.fail(TOKEN, "getUpdates", fault)
    telegram.push(TOKEN, _text(1))
    with polling(live_app):
        eventually(lambda: _stored() == 1)


def test_ids_that_restart_lower_are_followed(
    live_app: Flask, telegram: Any, account: Account
) -> None:
    bot_id = _bot(account)
    telegram.push(TOKEN, {"update_id": 900, **_text(1)})
    with polling(live_app):
        eventually(lambda: _stored() == 1)
        eventually(lambda: db.session.get_one(Bot, bot_id).poll_offset == 0)  # it got quiet
        eventually(lambda: "offset" not in telegram.calls(TOKEN, "getUpdates")[-1].params)
        telegram.push(TOKEN, {"update_id": 50, **_text(2)})
        eventually(lambda: _stored() == 2)


def test_half_a_surrogate_pair_is_stored_like_any_update(
    live_app: Flask, telegram: Any, account: Account
) -> None:
    _bot(account)
    telegram.push(TOKEN, _text(1, caption="\ud83d"))
    with polling(live_app):
        eventually(lambda: _stored() == 1)


def test_a_poller_that_stops_hands_its_bots_back(
    live_app: Flask, telegram: Any, account: Account
) -> None:
    bot_id = _bot(account)
    with polling(live_app, poll_seconds=30):
        eventually(lambda: db.session.get_one(Bot, bot_id).poll_token)
    bot = db.session.get_one(Bot, bot_id, populate_existing=True)
    assert (bot.poll_token, bot.poll_until) == ("", 0.0)


def test_where_webhooks_are_used_nothing_is_polled(
    live_app: Flask, telegram: Any, account: Account, change_settings: Callable[..., None]
) -> None:
    change_settings(public_url="http://127.0.0.1:9")
    _bot(account)
    with polling(live_app):
        time.sleep(0.2)
    assert telegram.calls(TOKEN, "getUpdates") == []


@pytest.mark.parametrize("way", ["polls", "webhook"])
def test_another_program_that_takes_the_updates_is_told_once_and_so_is_its_end(
    live_app: Flask, telegram: Any, account: Account, way: str
) -> None:
    """Over HTTP, in seconds instead of minutes."""
    bot_id, stop = _bot(account), threading.Event()
    api = webhooks.api_of(TOKEN)

    def other() -> None:
        with live_app.app_context():
            while not stop.is_set():
                with contextlib.suppress(TelegramRefused):
                    if way == "polls":
                        api.call("getUpdates", timeout=1)
                    else:
                        api.call("setWebhook", url="http://127.0.0.1:8/other")
                        time.sleep(0.05)

    def found() -> list[str]:
        return [fault.kind for fault in faults_of_bots.of_bots([bot_id])]

    program = threading.Thread(target=other)
    quick = partial(Contention, conflict_seconds=0.5, quiet_seconds=6.0)
    with polling(live_app, contention=quick):
        program.start()
        try:
            eventually(lambda: found() == ["polling"])
            deleted = len(telegram.calls(TOKEN, "deleteWebhook"))
            time.sleep(1.0)
            eventually(
                lambda: (
                    (found(), db.session.scalar(select(Bot.status)))
                    == (["polling"], BotStatus.WARNING)
                )
            )
            assert len(telegram.calls(TOKEN, "deleteWebhook")) <= deleted + 1, "it does not fight"
        finally:
            stop.set()
            program.join(PATIENCE)
        if way == "webhook":
            bots.add(account.id, TOKEN)  # as the owner is told to do
            db.session.commit()
        eventually(lambda: found() == [])
        eventually(lambda: db.session.scalar(select(Bot.status)) == BotStatus.ACTIVE)


def test_a_database_that_refuses_is_one_line_of_the_log_and_its_return_another(
    live_app: Flask, telegram: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, whole = [], Poller._refresh

    def refuse(poller: Poller) -> None:
        looks.append(1)
        if len(looks) <= 5:
            raise OperationalError("UPDATE bot", {}, Exception("read only"))
        whole(poller)

    monkeypatch.setattr(Poller, "_refresh", refuse)
    with capture_logs() as lines, polling(live_app, refresh_seconds=0.01):
        eventually(lambda: len(looks) >= 9)
    changes = [line for line in lines if line["event"].startswith("database.")]
    assert [(line["event"], line.get("times")) for line in changes] == [
        ("database.lost", None),
        ("database.back", 5),
    ]
    assert "read only" in changes[0]["error"]
