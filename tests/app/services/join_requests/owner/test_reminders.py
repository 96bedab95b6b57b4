"""Owners hear how many people wait, once in ten minutes, and let them in by a button."""

import json
import threading

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import Account, Campaign, DeskMode, Notice
from app.services.join_requests.owner import reminders

NOW = 1_800_000_000.0


@pytest.fixture
def campaign(app, world, change_settings):
    change_settings(service_bot_token="70:token-of-the-service-bot")
    db.session.get_one(Account, world.account_id).tg_id = 5005
    return world.campaign(desk=DeskMode.RULES, notify_level=1, chat_title="Club")


def notices():
    rows = db.session.scalars(select(Notice).order_by(Notice.id)).all()
    return [(row.kind, json.loads(row.about)) for row in rows]


def test_who_waits_is_told_once_in_ten_minutes_and_only_with_news(world, campaign):
    world.request(campaign, asked=int(NOW) - 5)
    world.request(campaign, asked=int(NOW) - 4)
    assert reminders.remind(NOW) == 1
    assert notices() == [("requests", {"campaign": campaign, "title": "Club", "count": 2})]
    world.request(campaign, asked=int(NOW) + 5)
    assert reminders.remind(NOW + 60) == 0
    assert reminders.remind(NOW + 600) == 1
    assert reminders.remind(NOW + 1200) == 0
    assert [about["count"] for _, about in notices()] == [2, 3]


@pytest.mark.parametrize(
    "fields", [{"desk": DeskMode.OFF}, {"notify_level": 0}, {"status": 2}], ids=str
)
def test_nobody_is_told_of_a_chat_without_a_desk_or_that_is_muted(world, campaign, fields):
    for name, value in fields.items():
        setattr(db.session.get_one(Campaign, campaign), name, value)
    db.session.flush()
    world.request(campaign, asked=int(NOW))
    assert reminders.remind(NOW) == 0


def test_two_clocks_that_look_at_once_tell_once(live_app, world, campaign):
    world.request(campaign, asked=int(NOW) - 5)
    db.session.commit()
    counts = []

    def remind():
        with live_app.app_context():
            counts.append(reminders.remind(NOW))
            db.session.commit()

    thread = threading.Thread(target=remind)
    with db.engine.begin() as other:
        other.execute(update(Campaign).where(Campaign.id == campaign).values(desk_told=NOW))
        thread.start()
        thread.join(0.5)  # by now it has found the campaign, and waits for us
    thread.join()
    assert counts == [0]
    assert notices() == []


def test_who_is_decided_already_is_not_told_of(world, campaign):
    world.request(campaign, asked=int(NOW), state=1)
    assert reminders.remind(NOW) == 0
