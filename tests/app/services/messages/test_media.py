"""A welcome with media is uploaded once a bot, and falls back to its text."""

import io
import json
import time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.domain.welcome import GREETING
from app.extensions import db
from app.models import Account, Bot, Campaign, MediaFile, Message, MessageState
from app.sandbox.telegram import faults
from app.services import messages
from app.services.campaigns import media, media_list
from app.services.messages import loop
from tests.support.world import World

TOKEN = "4242:AAsecret-part_of-the-token"
MP4 = b"\0\0\0\x10ftypisom\0\0\0\0" + b"film" * 300_000


class Studio:
    """One bot, its campaign, and messages with one film."""

    def __init__(self, account: Account, telegram: Any) -> None:
        self.telegram = telegram
        telegram.add_bot(TOKEN, "bot4242")
        world = World(account.id)
        bot = world.bot(tg_id=4242, username="bot4242", token=TOKEN)
        self.campaign = world.campaign(bot_id=bot)
        self.whose = {"account_id": account.id, "bot_id": bot, "campaign_id": self.campaign}
        self.code = media.upload(account.id, io.BytesIO(MP4))

    def stage(self, chat: int, text: str = "*hi* ты") -> int:
        now = time.time()
        row = Message(
            **self.whose, chat_id=chat, lead_id=0, text=text, media=self.code, due=now, created=now
        )
        db.session.add(row)
        db.session.flush()
        id_ = row.id
        db.session.commit()
        return id_

    def send(self) -> None:
        messages.send(seconds=60.0, chance=lambda: 0.5)

    def states(self) -> set[int]:
        found = set(db.session.scalars(select(Message.state)))
        db.session.commit()
        return found

    def file_ids(self) -> list[str]:
        found = list(db.session.scalars(select(MediaFile.file_id)))
        db.session.commit()
        return found

    def videos(self) -> list[Any]:
        return [call.params["video"] for call in self.telegram.calls(TOKEN, "sendVideo")]


@pytest.fixture
def studio(live_app: Flask, account: Account, bot_api: Any) -> Studio:
    return Studio(account, bot_api)


def test_the_first_is_uploaded_and_the_others_go_by_its_file_id(studio: Studio) -> None:
    for chat in range(1, 5):
        studio.stage(chat)
    studio.send()
    uploaded, *others = studio.videos()
    assert uploaded["size"] == len(MP4)
    assert others == studio.file_ids() * 3
    assert {one.text for one in studio.telegram.sent(TOKEN)} == {"*hi* ты"}
    assert {one.parse_mode for one in studio.telegram.sent(TOKEN)} == {"Markdown"}
    assert studio.states() == {MessageState.SENT}


def test_an_account_with_many_films_keeps_nobody_elses_waiting(
    live_app: Flask, make_account: Any, bot_api: Any
) -> None:
    now, bots = time.time(), {}
    loud, quiet = make_account(), make_account()
    for number, owner in enumerate((loud, loud, loud, loud, quiet)):
        token = f"{4300 + number}:AAsecret-part_of-the-token"
        bot_api.add_bot(token, f"bot{number}")
        world = World(owner.id)
        bot = world.bot(tg_id=4300 + number, username=f"bot{number}", token=token)
        bots[token] = number
        row = Message(
            account_id=owner.id, bot_id=bot, campaign_id=world.campaign(bot_id=bot), chat_id=7,
            lead_id=0, text="hi", media=media.upload(owner.id, io.BytesIO(MP4 + bytes([number]))),
            due=now, created=now,
        )  # fmt: skip
        db.session.add(row)
        db.session.commit()
    messages.send(seconds=60.0, chance=lambda: 0.5)
    order = [bots[call.token] for call in bot_api.calls(method="sendVideo")]
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order.index(4) <= 1


def test_a_file_id_that_is_refused_is_renewed(studio: Studio) -> None:
    studio.stage(1)
    studio.send()
    (old,) = studio.file_ids()
    gone = faults.refuse(400, "Bad Request: wrong file identifier/HTTP URL specified")
    studio.telegram.fail(TOKEN, "sendVideo", gone)
    studio.stage(2)
    studio.send()
    (new,) = studio.file_ids()
    assert new != old
    assert [isinstance(video, str) for video in studio.videos()] == [False, True, False]
    assert studio.states() == {MessageState.SENT}


def test_media_that_telegram_will_not_show_is_left_out_and_the_owner_is_told(
    studio: Studio,
) -> None:
    said = "Bad Request: VIDEO_CONTENT_TYPE_INVALID"
    studio.telegram.fail(TOKEN, "sendVideo", faults.refuse(400, said), times=9)
    studio.stage(1)
    studio.send()
    (sent,) = studio.telegram.sent(TOKEN)
    assert (sent.method, sent.text) == ("sendMessage", "*hi* ты")
    assert said in db.session.get_one(Campaign, studio.campaign).welcome_fault
    db.session.commit()


def test_media_without_a_text_is_a_message_too(studio: Studio) -> None:
    studio.stage(1, text="")
    studio.send()
    (sent,) = studio.telegram.sent(TOKEN)
    assert (sent.method, sent.text) == ("sendVideo", "")


@pytest.mark.parametrize(
    "reason",
    [
        "Bad Request: VIDEO_CONTENT_TYPE_INVALID",
        "Bad Request: wrong file identifier/HTTP URL specified",
        "Bad Request: MEDIA_EMPTY",
    ],
)
def test_media_alone_that_telegram_refuses_leaves_a_greeting_and_the_owner_is_told(
    studio: Studio, reason: str
) -> None:
    studio.telegram.fail(TOKEN, "sendVideo", faults.refuse(400, reason), times=9)
    studio.stage(1, text="")
    studio.send()
    (sent,) = studio.telegram.sent(TOKEN)
    assert (sent.method, sent.text) == ("sendMessage", GREETING)
    assert studio.states() == {MessageState.SENT}
    assert reason in db.session.get_one(Campaign, studio.campaign).welcome_fault
    db.session.commit()


def test_what_is_due_again_at_once_is_sent_by_the_drain_that_put_it_back(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "IDLE_SECONDS", 0.0)  # it looks for messages before each answer
    studio.telegram.fail(TOKEN, "sendVideo", faults.refuse(400, "Bad Request: MEDIA_EMPTY"))
    studio.stage(1)
    studio.send()
    assert studio.states() == {MessageState.SENT}


def test_media_alone_that_was_deleted_meanwhile_leaves_a_greeting(studio: Studio) -> None:
    studio.stage(1, text="")
    media_list.remove(studio.whose["account_id"], studio.code)
    studio.send()
    (sent,) = studio.telegram.sent(TOKEN)
    assert (sent.method, sent.text) == ("sendMessage", GREETING)
    assert studio.states() == {MessageState.SENT}
    assert "empty" in db.session.get_one(Campaign, studio.campaign).welcome_fault
    db.session.commit()


def test_a_flood_wait_does_not_lose_the_upload(studio: Studio) -> None:
    studio.telegram.fail(TOKEN, "sendVideo", faults.flood(1))
    id_ = studio.stage(1)
    studio.send()
    assert studio.states() == {MessageState.WAITING}
    db.session.execute(update(Bot).values(quiet_until=0.0, next_send=0.0))
    db.session.execute(update(Message).where(Message.id == id_).values(due=0.0))
    db.session.commit()
    studio.send()
    assert len(studio.videos()) == 2
    assert studio.states() == {MessageState.SENT}


def test_a_caption_is_sent_with_its_entities_also_beside_an_upload(studio: Studio) -> None:
    bold = {"type": "bold", "offset": 0, "length": 4}
    for chat in (1, 2):
        id_ = studio.stage(chat, "*hi*")
        values = {"parse_mode": "", "entities": json.dumps([bold])}
        db.session.execute(update(Message).where(Message.id == id_).values(**values))
        db.session.commit()
    studio.send()
    sent = studio.telegram.sent(TOKEN)
    assert [(one.method, one.shown, one.entities) for one in sent] == [
        ("sendVideo", "*hi*", [bold])
    ] * 2
