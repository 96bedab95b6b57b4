"""A welcome whose media is in an object store: fetched once a bot, and nobody waits for it."""

import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select, update

from app.extensions import db
from app.models import Account, Message, MessageState
from app.outbound import object_store
from app.services import messages
from app.services.campaigns import media
from app.services.messages import loop
from tests.support.object_store import running_object_server, silent_server
from tests.support.world import World

TOKEN = "4242:AAsecret-part_of-the-token"
MP4 = b"\0\0\0\x10ftypisom\0\0\0\0" + b"film" * 100_000


@pytest.fixture(scope="module")
def server():
    with running_object_server() as running:
        yield running


@pytest.fixture
def telegram(live_app: Flask, bot_api: Any, server: Any, change_settings: Any) -> Any:
    server.empty()
    change_settings(media_store=server.url)
    bot_api.add_bot(TOKEN, "bot4242")
    return bot_api


@pytest.fixture
def whose(telegram: Any, account: Account, world: World) -> dict[str, int]:
    """A bot with a campaign, to send messages for."""
    bot = world.bot(tg_id=4242, username="bot4242", token=TOKEN)
    terms = {"account_id": account.id, "bot_id": bot}
    return {**terms, "campaign_id": world.campaign(bot_id=bot)}


@pytest.fixture
def film(telegram: Any, account: Account) -> str:
    return media.upload(account.id, io.BytesIO(MP4))


def stage(whose: dict[str, int], chat: int, code: str | None) -> None:
    now = time.time()
    row = Message(**whose, chat_id=chat, lead_id=0, text="hi", media=code, due=now, created=now)
    db.session.add(row)
    db.session.commit()


def states() -> dict[MessageState, int]:
    counted = select(Message.state, func.count()).group_by(Message.state)
    found = {MessageState(state): count for state, count in db.session.execute(counted)}
    db.session.commit()
    return found


def send() -> None:
    messages.send(seconds=60.0, chance=lambda: 0.5)


def test_it_is_fetched_and_uploaded_once(telegram, whose, film, server):
    for chat in range(1, 4):
        stage(whose, chat, film)
    send()
    first, *others = [call.params["video"] for call in telegram.calls(TOKEN, "sendVideo")]
    assert first["size"] == len(MP4)
    assert len(set(others)) == 1
    assert isinstance(others[0], str)
    server.empty()
    stage(whose, 9, film)
    send()
    assert states() == {MessageState.SENT: 4}, "what Telegram has needs no store"


def test_media_that_is_gone_is_left_out(telegram, whose, film, server):
    server.empty()
    stage(whose, 1, film)
    send()
    (sent,) = telegram.sent(TOKEN)
    assert (sent.method, sent.text) == ("sendMessage", "hi")


@pytest.fixture(params=["away", "silent"])
def fault(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a store that does not answer."""
    monkeypatch.setattr(object_store, "READ_SECONDS", 0.3)
    with silent_server() as silent:
        away = "s3://bucket?region=x&endpoint=http://127.0.0.1:1"
        yield away if request.param == "away" else silent


def test_while_the_store_is_away_its_message_waits_and_others_go(
    telegram, whose, film, change_settings, fault
):
    stage(whose, 1, film)
    for chat in range(2, 6):
        stage(whose, chat, None)
    there = current_app.config["SETTINGS"].media_store
    change_settings(media_store=fault)
    send()
    assert states() == {MessageState.SENT: 4, MessageState.WAITING: 1}
    assert not telegram.calls(TOKEN, "sendVideo")

    change_settings(media_store=there)
    db.session.execute(update(Message).values(due=0.0))
    db.session.commit()
    send()
    assert states() == {MessageState.SENT: 5}
    assert len(telegram.calls(TOKEN, "sendVideo")) == 1


def test_others_are_sent_while_the_store_says_nothing(telegram, whose, film, change_settings):
    """Those behind it are through before the store has been given up."""
    stage(whose, 1, film)
    for chat in range(2, 5):
        stage(whose, chat, None)
    with silent_server() as silent:
        change_settings(media_store=silent)

        def have_three() -> bool:
            return len(telegram.sent(TOKEN)) == 3

        messages.send(seconds=60.0, stop=have_three, chance=lambda: 0.5)
    assert states() == {MessageState.SENT: 3, MessageState.WAITING: 1}


def test_a_store_that_takes_too_long_is_given_up(
    telegram, whose, film, change_settings, monkeypatch
):
    """Before the lease of its message ends, whatever the library would still try."""
    monkeypatch.setattr(loop, "FETCH_SECONDS", 0.2)
    stage(whose, 1, film)
    with silent_server() as silent:
        change_settings(media_store=silent)
        send()
        assert states() == {MessageState.WAITING: 1}
