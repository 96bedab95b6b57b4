"""Greetings go before other messages, and not after the five minutes."""

import time

from sqlalchemy import text

from app.extensions import db
from app.models import DeskMode, Message, Unreachable
from app.sandbox.telegram import faults
from app.services.join_requests.greeting import start_link


def test_the_start_link_carries_the_token_of_a_click():
    assert start_link("one_bot", "abc123") == "https://t.me/one_bot?start=abc123"
    assert (
        start_link("one_bot", "abc123", "t" * 16) == f"https://t.me/one_bot?start=abc123_{'t' * 16}"
    )


def test_a_refused_greeting_marks_nobody_as_unreachable(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Hi")
    asking.bot_api.fail(asking.token, "sendMessage", faults.BLOCKED, -1)
    asking.ask(7)
    asking.greet()
    assert [message.state for message in asking.greetings()] == [3]
    assert db.session.query(Unreachable).count() == 0
    db.session.rollback()


def test_a_greeting_that_is_too_late_makes_no_call(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Hi")
    asking.ask(7)
    db.session.execute(text("UPDATE message SET expires = :now"), {"now": time.time() - 1})
    db.session.commit()
    asking.greet()
    (message,) = asking.greetings()
    assert (message.state, message.reason) == (3, "the five minutes are over")
    assert asking.bot_api.sent(asking.token) == []


def test_greetings_go_before_a_backlog_of_other_messages(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Hi")
    backlog = [
        Message(
            account_id=asking.stage.account, bot_id=asking.stage.bot, chat_id=1000 + number,
            campaign_id=asking.stage.campaign, lead_id=0, text="news", due=time.time() - 60,
            created=time.time() - 60, parse_mode="",
        )
        for number in range(30)
    ]  # fmt: skip
    db.session.add_all(backlog)
    db.session.commit()
    asking.ask(7)
    asking.greet()
    assert asking.bot_api.sent(asking.token)[0].chat_id == 7


def test_a_greeting_shows_its_media_also_without_words(make_asking):
    asking = make_asking(DeskMode.ALL, greet_media="vid_abc", greet="x" * 1100)
    asking.ask(7)
    asking.set(greet="")
    asking.ask(8)
    long, short = asking.greetings()
    assert (long.media, len(long.text), short.media, short.text) == ("vid_abc", 1024, "vid_abc", "")


def test_a_greeting_waits_for_no_backlog_of_decisions(make_asking):
    asking = make_asking(DeskMode.ALL)
    for person in range(100, 140):
        asking.ask(person)
    assert asking.decide() == 6
    asking.set(greet="Hi")
    asking.ask(99)
    asking.greet()
    asking.decide(2)
    order = [call.method for call in asking.bot_api.calls(asking.token)]
    decided = [method for method in order if method in {"sendMessage", "approveChatJoinRequest"}]
    assert decided[:8] == ["approveChatJoinRequest"] * 6 + ["sendMessage", "approveChatJoinRequest"]
