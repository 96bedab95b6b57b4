import time

import pytest

from app.dashboard import attention
from app.domain.clicks.link_query import QueryFlag
from app.extensions import db
from app.models import BotFault, DestinationStatus, PostbackState, RequestState, SourceDay
from app.services.accounts.accounts import Caller

DAY = 86_400


@pytest.fixture
def texts(account):
    def look(**plan):
        now = int(time.time())
        caller = Caller(account.id, "en", plan.get("tariff", "tiger"), plan.get("paid_until"))
        return [item.text for item in attention.items(caller, now)]

    return look


def test_nothing_is_wrong_with_an_empty_account(texts):
    assert texts() == []


def test_what_is_wrong_is_told_in_words(texts, world):
    now = time.time()
    bot = world.bot(username="gate_bot")
    campaign = world.campaign(bot_id=bot, welcome_fault="the photo is gone", chat_title="News")
    db.session.add(
        BotFault(bot_id=bot, kind="rights", chat_id=5, title="News", since=now, seen=now)
    )
    off = world.destination(title="Keitaro", status=DestinationStatus.OFF, reason="answered 410")
    world.destination(title="Slow", blocked_until=now + 100)
    world.postback(off, campaign_id=campaign, state=PostbackState.FAILED, created=now - 60)
    world.postback(off, campaign_id=campaign, state=PostbackState.FAILED, created=now - 3 * DAY)
    told = " | ".join(texts())
    for part in (
        "@gate_bot is no administrator of News",
        "the welcome of News: the photo is gone",
        "Keitaro is switched off: answered 410",
        "Slow fails again and again",
        "1 postback failed in the last 24 hours",
    ):
        assert part in told


def test_who_was_let_in_a_minute_ago_and_has_not_joined_is_told(texts, world):
    now = time.time()
    campaign = world.campaign()
    for state, decided in (
        (RequestState.APPROVED, now - 20), (RequestState.APPROVED, now - 2 * DAY),
        (RequestState.JOINED, now - 90), (RequestState.DECLINED, now - 90),
    ):  # fmt: skip
        world.request(campaign, state=state, decided=decided)
    assert texts() == []
    world.request(campaign, state=RequestState.APPROVED, decided=now - 90)
    assert texts() == ["1 person was let in within the last 24 hours and has not joined."]


def test_links_of_ads_that_lead_elsewhere_or_say_nothing_are_told(texts, world):
    source = world.source(world.campaign(), title="Reels")
    db.session.add(
        SourceDay(source_id=source, day=int(time.time()) // DAY, clicks=40, fallbacks=30)
    )
    for _ in range(20):
        world.click(source, created=int(time.time()), flags=int(QueryFlag.UNREPLACED))
    no_link, macro = texts()
    assert no_link.startswith("Reels: 75 percent of the clicks got no invite link")
    assert macro.startswith("Reels: 100 percent of the clicks came with a macro")


def test_the_end_of_a_plan_is_told_three_days_before_and_after_it(texts):
    now = int(time.time())
    assert texts(tariff="cat", paid_until=now + 4 * DAY) == []
    assert texts(tariff="cat", paid_until=now + DAY + 60) == ["Your plan ends in 2 days."]
    assert texts(tariff="cat", paid_until=now - 60) == [
        "Your plan has ended; renew it to change anything here."
    ]


def test_each_thing_has_a_name_of_its_own_that_fits(account, world):
    now = time.time()
    bot = world.bot()
    for chat in (5, -(10**15)):
        db.session.add(
            BotFault(bot_id=bot, kind="rights", chat_id=chat, title="News", since=now, seen=now)
        )
    world.destination(status=DestinationStatus.OFF)
    world.destination(blocked_until=now + 100)
    caller = Caller(account.id, "en", "cat", int(now) + 60)
    names = [item.name for item in attention.items(caller, int(now))]
    assert len(set(names)) == len(names) == 5
    assert max(map(len, names)) <= 64


def test_the_neighbours_troubles_are_theirs(texts, others_world):
    others_world.destination(status=DestinationStatus.OFF, reason="gone")
    assert texts() == []


def test_what_is_due_for_long_is_told_but_not_of_a_tracker_that_rests(texts, world):
    now = time.time()
    dest = world.destination()
    world.postback(dest, state=PostbackState.WAITING, due=now - 200)
    for other in (
        world.destination(status=DestinationStatus.PAUSED),
        world.destination(blocked_until=now + 100),
    ):
        world.postback(other, state=PostbackState.WAITING, due=now - 9000)
    assert not [text for text in texts() if "has been due" in text]
    world.postback(dest, state=PostbackState.WAITING, due=now - 610)
    (text,) = [text for text in texts() if "has been due" in text]
    assert text == "A postback has been due for 10 minutes and is not sent."
