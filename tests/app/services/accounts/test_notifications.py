"""What an account is to be told is noted once, and only for who will hear it."""

import time

import pytest
from sqlalchemy import event, update

from app.extensions import db
from app.models import Account, Notice
from app.services.accounts import notifications
from app.services.bots import webhooks
from tests.support.desk import WALKERS

DAY = 86_400


def test_a_plan_s_end_is_told_three_days_and_one_day_before(desk, ann):
    now = 4_000_000_000
    ends = now + 10 * DAY
    paid = {"tariff": "cat", "paid_until": ends}
    db.session.execute(update(Account).where(Account.id == ann.id).values(**paid))
    db.session.commit()

    def warned(at):
        notifications.plans_ending(at)
        db.session.commit()
        told = [notice.about for notice in desk.notices()]
        db.session.execute(Notice.__table__.delete())
        db.session.commit()
        return told

    assert warned(ends - 3 * DAY - 1) == []
    (three,) = warned(ends - 3 * DAY)
    assert '"days":3' in three
    assert warned(ends - 2 * DAY) == []
    (one,) = warned(ends - DAY)
    assert '"days":1' in one
    assert warned(ends - 10) == []
    assert warned(ends + 10) == []
    renewed = {"paid_until": ends + 30 * DAY}
    db.session.execute(update(Account).where(Account.id == ann.id).values(**renewed))
    db.session.commit()
    assert warned(ends + 10) == []
    assert len(warned(ends + 28 * DAY)) == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"notify_tariff": False, "tariff": "cat"},
        {"tariff": "kitten"},
        {"tariff": "cat", "paid_until": None},
        {"tariff": "cat", "tg_id": None},
    ],
)
def test_no_warning_for_who_does_not_want_or_need_one(desk, ann, columns):
    now = time.time()
    values = {"paid_until": int(now) + DAY, **columns}
    db.session.execute(update(Account).where(Account.id == ann.id).values(**values))
    db.session.commit()
    notifications.plans_ending(now + 1)
    db.session.commit()
    assert desk.notices() == []


def test_without_a_service_bot_nothing_piles_up(desk, ann, make_campaign, walk, change_settings):
    campaign = make_campaign(ann.id)
    change_settings(service_bot_token="")
    walk(campaign, WALKERS[0], "start", "join")
    webhooks.pause(campaign[0], "Telegram refused the token")
    notifications.plans_ending(time.time())
    db.session.commit()
    assert desk.notices() == []
    assert desk.tell() == 0


def test_a_campaign_that_nobody_wants_to_hear_of_costs_no_query(desk, ann, make_campaign, walk):
    campaign = make_campaign(ann.id, notify_level=0)
    said = []

    def listen(_connection, _cursor, statement, *_):
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", listen)
    walk(campaign, WALKERS[0], "start", "join")
    event.remove(db.engine, "before_cursor_execute", listen)
    assert not [one for one in said if "notify_leads" in one or "notice" in one]
    assert any("INSERT INTO lead" in one for one in said)


def test_who_has_never_met_the_service_bot_is_told_nothing(desk, account, make_campaign, walk):
    walk(make_campaign(account.id), WALKERS[0], "start", "join")
    assert desk.notices() == []
