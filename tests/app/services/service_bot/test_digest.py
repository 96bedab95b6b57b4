"""What the service bot tells an account, and how often."""

import threading
import time

from sqlalchemy import select, update

from app.extensions import db
from app.models import Account, BotChat, Campaign, MessageState
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat
from app.services import maintenance
from app.services.accounts import notifications
from app.services.bots import webhooks
from tests.support.desk import ANN, IVAN, NONCE, TOKEN, WALKERS, rows

DAY = 86_400


def _texts(desk):
    return [message.text for message in desk.staged()[1:]]


def test_each_level_hears_its_events(desk, ann, make_campaign, walk):
    levels = {level: make_campaign(ann.id, notify_level=level) for level in range(4)}
    for campaign in levels.values():
        walk(campaign, WALKERS[0], "start", "request", "join", "leave")
        walk(campaign, WALKERS[1], "start", "kick")
    heard = {level: [] for level in levels}
    ids = {row.code: row.id for row in rows(select(Campaign))}
    level_of = {ids[campaign[2]]: level for level, campaign in levels.items()}
    for notice in desk.notices():
        heard[level_of[notice.campaign_id]] += [notice.kind] * notice.times
    assert heard[0] == []
    assert heard[1] == ["approve"]
    assert sorted(heard[2]) == ["approve", "wait", "wait"]
    assert sorted(heard[3]) == ["approve", "cancel", "hold", "trash", "wait", "wait"]


def test_the_first_event_is_told_at_once_and_the_next_together_a_minute_later(
    desk, ann, make_campaign, walk
):
    campaign = make_campaign(ann.id, notify_level=3)
    walk(campaign, WALKERS[0], "start")
    first = time.time()
    assert desk.tell(first) == 1
    assert _texts(desk) == ["Flowers 1: 1 opened the bot"]
    desk.speak()
    walk(campaign, WALKERS[0], "join", "leave")
    for person in WALKERS[1:4]:
        walk(campaign, person, "start", "join")
    assert desk.tell(first + 1) == desk.tell(first + 50) == 0
    assert desk.tell(first + 61) == 1
    assert _texts(desk)[1:] == ["Flowers 1: 4 new subscribers, 3 opened the bot, 1 left"]
    assert desk.notices() == []


def test_nothing_is_added_while_the_last_message_has_not_left(desk, ann, make_campaign, walk):
    campaign = make_campaign(ann.id)
    walk(campaign, WALKERS[0], "start")
    assert desk.tell() == 1
    walk(campaign, WALKERS[1], "start")
    assert desk.tell(time.time() + 3600) == 0
    desk.speak()
    assert desk.tell(time.time() + 3600) == 1


def test_one_person_with_many_campaigns_gets_one_message(desk, ann, make_campaign, walk):
    campaigns = [make_campaign(ann.id) for _ in range(12)]
    walk(campaigns[4], WALKERS[0], "start", "join")
    for campaign in campaigns:
        walk(campaign, WALKERS[1], "start")
    assert desk.tell() == 1
    (text,) = _texts(desk)
    lines = text.split("\n")
    assert lines[0] == "Flowers 5: 1 new subscriber, 2 opened the bot"
    assert len(lines) == 11
    assert lines[-1] == "And 2 more."
    desk.speak()
    buttons = desk.sent_to(ANN)[-1].reply_markup["inline_keyboard"]
    assert buttons[0][0]["text"] == "Mute Flowers 5"
    assert len(buttons) == 5


def test_the_language_is_the_account_s(desk, make_campaign, walk):
    desk.start(IVAN, f"login-{NONCE}")
    desk.speak()
    campaign = make_campaign(desk.account_of(IVAN).id)
    for person in WALKERS[:5]:
        walk(campaign, person, "start", "join")
    walk(campaign, WALKERS[0], "leave")
    desk.tell(time.time() + 61)
    said = desk.staged()[-1]
    assert said.text == "Flowers 1: 5 новых подписчиков, 5 открыли бота, 1 вышел"
    assert "сообщать: Flowers 1" in said.markup


def test_the_button_mutes_the_campaign_for_its_owner_only(desk, ann, make_campaign, walk, account):
    campaign, others = make_campaign(ann.id), make_campaign(account.id)
    walk(campaign, WALKERS[0], "start")
    desk.tell()
    desk.speak()
    ((button,),) = desk.sent_to(ANN)[-1].reply_markup["inline_keyboard"]
    walk(campaign, WALKERS[1], "start")
    assert desk.press(IVAN, button["callback_data"]) == "Эта кнопка больше не работает."
    mine, strangers = rows(select(Campaign).order_by(Campaign.id))
    assert mine.notify_level == 3
    assert desk.press(ANN, f"mute:{strangers.id}") == "This button no longer works."
    assert desk.press(ANN, button["callback_data"]) == "No more messages about Flowers 1."
    mine, strangers = rows(select(Campaign).order_by(Campaign.id))
    assert (mine.notify_level, strangers.notify_level) == (0, 3)
    assert desk.tell(time.time() + 61) == 0
    assert desk.notices() == []
    assert others


def test_the_global_switch_silences_leads_and_nothing_else(desk, ann, make_campaign, walk):
    db.session.execute(update(Account).where(Account.id == ann.id).values(notify_leads=False))
    db.session.commit()
    campaign = make_campaign(ann.id)
    walk(campaign, WALKERS[0], "start", "join")
    assert desk.notices() == []
    webhook_bot = campaign[0]
    webhooks.pause(webhook_bot, "Telegram refused the token")
    assert [notice.kind for notice in desk.notices()] == ["token"]


def test_who_blocked_the_service_bot_is_left_in_peace(desk, ann, make_campaign, walk):
    campaign = make_campaign(ann.id)
    desk.receive(people.bot_blocked(ANN))
    walk(campaign, WALKERS[0], "start")
    before = len(desk.staged())
    assert desk.tell() == 0
    assert desk.notices() == []
    assert len(desk.staged()) == before


def test_old_news_is_not_told(desk, ann, make_campaign, walk):
    walk(make_campaign(ann.id), WALKERS[0], "start")
    assert desk.tell(time.time() + DAY + 60) == 0
    assert desk.notices() == []


def test_lost_rights_are_told_once(desk, ann, make_campaign):
    bot, chat, _ = make_campaign(ann.id)
    there = Chat(chat, "Flower Deals")
    now = int(time.time())
    desk.receive(people.bot_rights(there, True, now), bot=bot)
    desk.receive(people.bot_rights(there, False, now + 1), bot=bot)
    desk.receive(people.bot_rights(there, False, now + 2), bot=bot)
    assert [there.is_admin for there in rows(select(BotChat))] == [False]
    assert desk.tell() == 1
    (text,) = _texts(desk)
    assert text.startswith("@flowers1_bot is no administrator of Flowers 1 any more.")
    desk.speak()
    desk.receive(people.bot_rights(there, True, now + 3), bot=bot)
    assert desk.tell(time.time() + 61) == 1
    assert _texts(desk)[1:] == ["@flowers1_bot is an administrator of Flowers 1 again."]


def test_a_refused_token_is_told_once(desk, ann, make_campaign):
    bot, _, _ = make_campaign(ann.id)
    webhooks.pause(bot, "Telegram refused the token")
    webhooks.pause(bot, "Telegram refused the token")
    assert desk.tell() == 1
    assert _texts(desk) == [
        "Telegram refuses the token of @flowers1_bot. Connect the bot again with a new one."
    ]


def test_a_payment_is_always_told(desk, ann):
    values = {"notify_leads": False, "notify_tariff": False}
    db.session.execute(update(Account).where(Account.id == ann.id).values(**values))
    notifications.payment(ann.id, "cat", 4_102_444_799, time.time())
    db.session.commit()
    assert desk.tell() == 1
    assert _texts(desk) == [
        "Thank you for the payment. Your plan Kitty runs until 2099-12-31 23:59 UTC."
    ]


def test_a_warning_missed_while_we_were_away_is_told_once(desk, ann):
    now = time.time()
    paid = {"tariff": "tiger", "paid_until": int(now) + DAY // 2}
    db.session.execute(update(Account).where(Account.id == ann.id).values(**paid))
    db.session.commit()
    notifications.plans_ending(now)
    notifications.plans_ending(now + 1)
    db.session.commit()
    assert desk.tell() == 1
    (text,) = _texts(desk)
    assert text.startswith("Your plan Tiger ends in 1 day, on ")


def test_the_clock_tells_by_itself(desk, ann, make_campaign, walk):
    walk(make_campaign(ann.id), WALKERS[0], "start")
    assert "messages" in maintenance.tick(time.time())
    desk.speak()
    assert desk.sent_to(ANN)[-1].text == "Flowers 1: 1 opened the bot"
    assert desk.staged()[-1].state == MessageState.SENT
    assert desk.sent_to(ANN)[-1].token == TOKEN


def test_two_clocks_tell_everything_once(desk, ann, live_app, make_campaign, walk):
    walk(make_campaign(ann.id), WALKERS[0], "start")
    told = []

    def tick():
        with live_app.app_context():
            told.append(desk.tell())

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(told) == 1
    assert len(desk.staged()) == 2
