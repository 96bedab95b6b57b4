"""Messages leave once, at Telegram's pace, and every refusal has its consequence."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from app.extensions import db
from app.models import Account, Bot, BotStatus, Campaign, Message, MessageState, Unreachable
from app.outbound.transport import Transport
from app.sandbox.telegram import faults
from app.services import messages, pending_work
from app.services.messages.claim import NO_ANSWER

TOKEN = "4242:AAsecret-part_of-the-token"
OTHER = "4343:AAother-secret"


class Desk:
    """Stages messages and reads back what became of them."""

    def __init__(self, account: Account, telegram: Any) -> None:
        self.account = account
        self.telegram = telegram

    def bot(self, token: str, **fields: Any) -> Bot:
        number = int(token.partition(":")[0])
        self.telegram.add_bot(token, f"bot{number}")
        bot = Bot(
            account_id=self.account.id,
            tg_id=number,
            username=f"bot{number}",
            name="B",
            token=token,
            webhook_path=f"p{number}",
            created=1,
            **fields,
        )
        db.session.add(bot)
        db.session.commit()
        return bot

    def stage(self, bot: Bot, chat: int, text: str = "hello", **fields: Any) -> int:
        now = time.time()
        row = Message(
            account_id=bot.account_id,
            bot_id=bot.id,
            chat_id=chat,
            text=text,
            **{"campaign_id": 0, "lead_id": 0, "due": now, "created": now} | fields,
        )
        db.session.add(row)
        db.session.commit()
        id_ = row.id
        db.session.commit()
        return id_

    def send(self, **options: Any) -> int:
        return messages.send(**{"seconds": 60.0, "chance": lambda: 0.5} | options)

    def due(self) -> bool:
        found = pending_work.look(time.time()).messages
        db.session.commit()
        return found

    def state(self, id_: int) -> MessageState:
        return MessageState(self.row(id_).state)

    def row(self, id_: int) -> Message:
        row = db.session.get_one(Message, id_, populate_existing=True)
        db.session.expunge(row)
        db.session.commit()
        return row

    def due_again(self, id_: int) -> None:
        db.session.execute(update(Message).where(Message.id == id_).values(due=0.0))
        db.session.commit()

    def texts(self, token: str = TOKEN) -> list[str]:
        return [one.text for one in self.telegram.sent(token)]


@pytest.fixture
def desk(live_app: Flask, account: Account, bot_api: Any) -> Desk:
    return Desk(account, bot_api)


def a_campaign(bot: Bot) -> int:
    campaign = Campaign(
        account_id=bot.account_id,
        bot_id=bot.id,
        chat_id=-1,
        chat_title="A",
        code="abc123",
        created=1,
    )
    db.session.add(campaign)
    db.session.commit()
    id_ = campaign.id
    db.session.commit()
    return id_


def test_a_message_is_sent_once_with_all_it_says(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    markup = {"inline_keyboard": [[{"text": "Go", "url": "https://example.com"}]]}
    id_ = desk.stage(bot, 7, "*hi* ты", markup=json.dumps(markup))
    assert desk.due()
    assert desk.send() == 1
    assert desk.send() == 0
    (sent,) = desk.telegram.sent(TOKEN)
    assert (sent.chat_id, sent.text, sent.parse_mode) == (7, "*hi* ты", "Markdown")
    assert sent.reply_markup == markup
    row = desk.row(id_)
    assert (row.state, row.tries, row.lease) == (MessageState.SENT, 1, None)
    assert row.sent
    assert not desk.due()


def test_messages_of_several_bots_leave_together(desk: Desk) -> None:
    first, second = desk.bot(TOKEN), desk.bot(OTHER)
    for chat in range(8):
        desk.stage(first, 100 + chat)
    desk.stage(second, 1)
    assert desk.send() == 9
    assert len(desk.texts(OTHER)) == 1
    others = desk.telegram.sent(OTHER)[0].time
    assert others < desk.telegram.sent(TOKEN)[-1].time


@pytest.mark.parametrize(
    "fields",
    [{"status": BotStatus.DELETED}, {"paused": "why"}, {"quiet_until": 1e11}, {"next_send": 1e11}],
)
def test_a_bot_that_may_not_talk_is_silent(desk: Desk, fields: dict[str, Any]) -> None:
    id_ = desk.stage(desk.bot(TOKEN, **fields), 7)
    assert desk.send(seconds=0.3) == 0
    assert desk.state(id_) is MessageState.WAITING
    assert desk.telegram.calls(TOKEN) == []


def test_a_message_waits_for_its_time(desk: Desk) -> None:
    id_ = desk.stage(desk.bot(TOKEN), 7, due=time.time() + 3600)
    assert not desk.due()
    assert desk.send() == 0
    assert desk.state(id_) is MessageState.WAITING


def test_one_chat_hears_one_message_a_second(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    ids = [desk.stage(bot, 7, f"{number}") for number in range(3)]
    looks = iter([False])  # it claims once: on a slow machine a second passes meanwhile
    assert desk.send(stop=lambda: next(looks, True)) == 1
    states = [desk.state(id_) for id_ in ids]
    assert states == [MessageState.SENT, MessageState.WAITING, MessageState.WAITING]
    second, third = desk.row(ids[1]), desk.row(ids[2])
    assert desk.row(ids[0]).created < second.due < third.due


def test_the_pace_of_a_bot_is_kept_for_all_processes_to_see(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    for chat in range(45):
        desk.stage(bot, 100 + chat)
    assert desk.send() == 45
    first = desk.telegram.sent(TOKEN)[0].time
    # What was really measured by a clock depends on the machine; test_pace.py
    # proves that whoever obeys `next_send` keeps to the limit.
    assert db.session.get_one(Bot, bot.id, populate_existing=True).next_send >= first + 40 / 25


def test_a_flood_wait_silences_the_whole_bot_and_charges_nothing(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    desk.telegram.fail(TOKEN, "sendMessage", faults.flood(4000))
    id_ = desk.stage(bot, 7)
    before = time.time()
    assert desk.send(seconds=1) == 0
    row = desk.row(id_)
    assert (row.state, row.tries, row.lease) == (MessageState.WAITING, 0, None)
    quiet = db.session.get_one(Bot, bot.id, populate_existing=True).quiet_until
    db.session.commit()
    assert quiet >= before + 4000
    desk.stage(bot, 8)
    assert desk.send(seconds=0.3) == 0
    assert len(desk.telegram.calls(TOKEN, "sendMessage")) == 1


def test_a_shorter_flood_wait_does_not_end_a_longer_one(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    desk.telegram.fail(TOKEN, "sendMessage", faults.flood(4000), chat=1)
    desk.telegram.fail(TOKEN, "sendMessage", faults.flood(1), chat=2)
    desk.stage(bot, 1), desk.stage(bot, 2)
    before = time.time()
    desk.send(seconds=1)
    assert db.session.get_one(Bot, bot.id, populate_existing=True).quiet_until >= before + 4000


def test_a_dead_token_pauses_the_bot_and_keeps_the_message(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    desk.telegram.fail(TOKEN, "sendMessage", faults.UNAUTHORIZED)
    id_ = desk.stage(bot, 7)
    assert desk.send(seconds=1) == 0
    bot = db.session.get_one(Bot, bot.id, populate_existing=True)
    assert bot.paused
    assert bot.status == BotStatus.WARNING
    db.session.commit()
    assert (desk.state(id_), desk.row(id_).tries) == (MessageState.WAITING, 0)
    assert len(desk.telegram.calls(TOKEN)) == 1


@pytest.mark.parametrize("fault", [faults.BLOCKED, faults.DEACTIVATED, faults.NEVER_STARTED])
def test_a_person_who_blocked_the_bot_is_left_in_peace(desk: Desk, fault: faults.Fault) -> None:
    bot = desk.bot(TOKEN)
    desk.telegram.fail(TOKEN, "sendMessage", fault)
    first = desk.stage(bot, 7)
    assert desk.send() == 1
    assert desk.state(first) is MessageState.UNREACHABLE
    person = db.session.scalars(select(Unreachable)).one()
    assert (person.bot_id, person.subscriber) == (bot.id, 7)
    assert fault.description in person.reason
    db.session.commit()
    second, other = desk.stage(bot, 7), desk.stage(bot, 8)
    assert desk.send() == 2
    assert desk.state(second) is MessageState.UNREACHABLE
    assert desk.state(other) is MessageState.SENT
    assert len(desk.telegram.calls(TOKEN)) == 2


def test_a_text_telegram_cannot_parse_is_said_plainly_and_flagged(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    campaign_id = a_campaign(bot)
    id_ = desk.stage(bot, 7, "a lone _ here", campaign_id=campaign_id)
    assert desk.send() == 1
    (sent,) = desk.telegram.sent(TOKEN)
    assert (sent.text, sent.parse_mode) == ("a lone _ here", "")
    assert desk.state(id_) is MessageState.SENT
    fault = db.session.get_one(Campaign, campaign_id, populate_existing=True).welcome_fault
    assert "can't parse entities" in fault


def test_a_welcome_arrives_without_what_telegram_refuses_and_its_campaign_is_flagged(
    desk: Desk,
) -> None:
    bot = desk.bot(TOKEN)
    campaign_id = a_campaign(bot)
    bold = {"type": "bold", "offset": 0, "length": 2}
    link = {"type": "text_link", "offset": 3, "length": 2, "url": "https://intranet/y"}
    button = {"text": "Go", "url": "https://intranet/x"}
    id_ = desk.stage(
        bot,
        7,
        "hi _you_",
        campaign_id=campaign_id,
        parse_mode="",
        entities=json.dumps([bold, link]),
        markup=json.dumps({"inline_keyboard": [[button]]}),
    )
    assert desk.send() == 1
    (sent,) = desk.telegram.sent(TOKEN)
    assert (sent.text, sent.entities, sent.reply_markup) == ("hi _you_", [bold], {})
    assert "parse_mode" not in sent.params
    assert desk.state(id_) is MessageState.SENT
    fault = db.session.get_one(Campaign, campaign_id, populate_existing=True).welcome_fault
    assert "https://intranet/" in fault
    db.session.commit()


def test_a_permanent_refusal_ends_the_message(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    desk.telegram.fail(TOKEN, "sendMessage", faults.CHAT_NOT_FOUND)
    id_ = desk.stage(bot, 7)
    assert desk.send() == 1
    row = desk.row(id_)
    assert row.state == MessageState.FAILED
    assert row.reason == "400: Bad Request: chat not found"


@pytest.mark.parametrize("fault", [faults.RESET, faults.SERVER_ERROR, faults.MALFORMED])
def test_an_answer_that_got_lost_is_repeated_once(desk: Desk, fault: faults.Fault) -> None:
    bot = desk.bot(TOKEN)
    desk.telegram.fail(TOKEN, "sendMessage", fault, times=5)
    id_ = desk.stage(bot, 7)
    assert desk.send(seconds=0.5) == 0
    assert (desk.state(id_), desk.row(id_).reason) == (MessageState.WAITING, NO_ANSWER)
    desk.due_again(id_)
    assert desk.send(seconds=0.5) == 1
    assert desk.state(id_) is MessageState.UNCERTAIN
    desk.due_again(id_)
    assert desk.send(seconds=0.5) == 0
    assert len(desk.telegram.calls(TOKEN)) == 2


def test_a_connection_that_never_was_is_tried_again(
    desk: Desk, change_settings: Callable[..., None]
) -> None:
    id_ = desk.stage(desk.bot(TOKEN), 7)
    change_settings(telegram_api_url="http://127.0.0.1:1")
    before = time.time()
    assert desk.send(seconds=1) == 0
    row = desk.row(id_)
    assert (row.state, row.reason, row.tries) == (MessageState.WAITING, "", 1)
    assert row.due >= before + 4


def test_what_a_dead_worker_left_is_repeated_once(desk: Desk) -> None:
    bot = desk.bot(TOKEN)
    left = {"state": MessageState.SENDING, "lease": "gone", "lease_until": 1.0, "tries": 1}
    once, twice = desk.stage(bot, 7, **left), desk.stage(bot, 8, **left, reason=NO_ANSWER)
    assert desk.due()
    assert desk.send() == 1
    assert desk.state(once) is MessageState.SENT
    assert desk.state(twice) is MessageState.UNCERTAIN


def test_who_lost_the_lease_moves_the_message_no_more(desk: Desk) -> None:
    id_ = desk.stage(desk.bot(TOKEN), 7)

    class Slow(Transport):
        def poll(self, seconds: float) -> Any:
            db.session.execute(update(Message).values(lease="another"))
            db.session.commit()
            return super().poll(seconds)

    slow = Slow(trusted=True)
    desk.send(transport=slow)
    slow.close()
    row = desk.row(id_)
    assert (row.state, row.lease) == (MessageState.SENDING, "another")


def test_a_worker_that_must_stop_claims_nothing(desk: Desk) -> None:
    id_ = desk.stage(desk.bot(TOKEN), 7)
    assert desk.send(stop=lambda: True) == 0
    assert desk.state(id_) is MessageState.WAITING


def test_a_long_text_in_letters_of_two_bytes_is_sent_once(desk: Desk) -> None:
    id_ = desk.stage(desk.bot(TOKEN), 7, "ы" * 4096)
    assert desk.send() == 1
    assert desk.state(id_) is MessageState.SENT
    assert len(desk.telegram.calls(TOKEN)) == 1


def test_two_workers_send_nothing_twice(live_app: Flask, desk: Desk) -> None:
    first, second = desk.bot(TOKEN), desk.bot(OTHER)
    for chat in range(20):
        desk.stage(first, 100 + chat), desk.stage(second, 100 + chat)

    def work() -> None:
        with live_app.app_context():
            messages.send(seconds=60)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for token in (TOKEN, OTHER):
        chats = [one.chat_id for one in desk.telegram.sent(token)]
        assert sorted(chats) == list(range(100, 120))


def test_a_token_sealed_with_another_key_silences_only_its_bot(desk: Desk) -> None:
    broken, fine = desk.bot(TOKEN), desk.bot(OTHER)
    silent, spoken = desk.stage(broken, 7), desk.stage(fine, 7)
    junk = text("UPDATE bot SET token = 'junk' WHERE id = :id")
    db.session.execute(junk, {"id": broken.id})
    db.session.commit()
    assert desk.send(seconds=0.5) == 1
    assert desk.state(silent) is MessageState.WAITING
    assert desk.state(spoken) is MessageState.SENT


def test_a_token_stands_in_no_row_and_no_log(
    desk: Desk, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level("DEBUG")
    bot = desk.bot(TOKEN)
    secret = TOKEN.partition(":")[2]
    said = [faults.refuse(400, f"no /bot{TOKEN}/"), faults.UNAUTHORIZED]
    for chat, fault in enumerate(said):
        desk.telegram.fail(TOKEN, "sendMessage", fault, chat=chat + 1)
        desk.stage(bot, chat + 1)
        desk.send(seconds=0.5)
    rows = db.session.connection().exec_driver_sql("SELECT * FROM message").all()
    bots = db.session.connection().exec_driver_sql("SELECT * FROM bot").all()
    out, err = capfd.readouterr()
    for where in (str(rows), str(bots), caplog.text, out, err):
        assert secret not in where
