"""The clock settles what is due, each transfer by itself."""

import threading

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.models import Account, Bot, Campaign, Click, Lead, Source, Transfer, TransferState
from app.services.campaigns import clearing, handover, settlement, transfer
from app.services.updates import inbox


@pytest.fixture
def asked(account, other, world):
    """`asked(due=5.0)`: a transfer of a new bot."""

    def make(due: float, **fields) -> Transfer:
        parts = {"account_id": account.id, "recipient_id": other.id, "with_leads": True}
        parts |= fields or {"bot_id": world.bot()}
        row = Transfer(**parts, title="x", created=1.0, due=due)
        db.session.add(row)
        db.session.commit()
        return row

    return make


def states():
    db.session.expire_all()
    found = db.session.scalars(select(Transfer.state).order_by(Transfer.id)).all()
    db.session.commit()
    return found


def test_only_what_is_due_is_settled_and_only_once(asked, other):
    first, _ = asked(5.0), asked(50.0)
    assert settlement.settle(4.9) == 0
    assert settlement.settle(5.0) == 1
    assert settlement.settle(5.0) == 0
    assert states() == [TransferState.DONE, TransferState.PENDING]
    assert db.session.get_one(Bot, first.bot_id).account_id == other.id
    assert first.settled == 5.0
    db.session.commit()


def test_one_that_cannot_be_settled_does_not_hold_up_the_others(asked, monkeypatch):
    stuck, _ = asked(5.0), asked(6.0)
    stuck_id = stuck.id
    usual = handover.take_effect

    def fails(transfer, now):
        if transfer.id == stuck_id:
            raise OperationalError("UPDATE", {}, Exception("deadlock detected"))
        return usual(transfer, now)

    monkeypatch.setattr(handover, "take_effect", fails)
    assert settlement.settle(9.0) == 1
    assert states() == [TransferState.PENDING, TransferState.DONE]
    monkeypatch.undo()
    assert settlement.settle(9.0) == 0  # it is not tried again before the others of that time
    assert settlement.settle(9.0 + 600.0) == 1
    assert states() == [TransferState.DONE, TransferState.DONE]


# -- long histories ------------------------------------------------------------


@pytest.fixture
def long(world, asked, monkeypatch):
    """A transfer without leads of a bot whose history takes many parts to delete."""
    monkeypatch.setattr(clearing, "LEADS", 1)
    bot = world.bot()
    campaign = world.campaign(bot_id=bot)
    for number in range(5):
        world.lead(campaign, bot_id=bot, subscriber=100 + number)
    return asked(5.0, bot_id=bot, with_leads=False)


def leads():
    found = len(db.session.scalars(select(Lead.id)).all())
    db.session.commit()
    return found


def clock(step):
    """A clock by which each look at it takes `step` seconds."""
    now = [0.0]

    def look():
        now[0] += step
        return now[0]

    return look


def test_a_long_history_is_deleted_over_many_calls_and_others_do_not_wait(long, asked, other):
    asked(6.0)
    assert settlement.settle(9.0, clock(1.0)) == 1
    assert states() == [TransferState.PENDING, TransferState.DONE]
    assert leads() == 4
    assert db.session.get_one(Bot, long.bot_id).account_id == long.account_id
    for _ in range(4):
        settlement.settle(9.0, clock(1.0))
    assert states() == [TransferState.PENDING, TransferState.DONE]
    assert leads() == 0
    assert settlement.settle(9.0, clock(1.0)) == 1
    assert db.session.get_one(Bot, long.bot_id).account_id == other.id
    db.session.commit()


def test_leads_that_come_while_the_history_is_deleted_are_deleted_too(long, world):
    settlement.settle(9.0, clock(1.0))
    campaign = db.session.scalars(select(Campaign.id)).one()
    world.lead(campaign, bot_id=long.bot_id, subscriber=900)
    db.session.commit()
    assert settlement.settle(9.0, clock(0.0)) == 1
    assert leads() == 0


def test_what_is_called_off_meanwhile_keeps_what_is_left(long, account):
    settlement.settle(9.0, clock(1.0))
    transfer.cancel(account.id, long.id)
    assert settlement.settle(9.0, clock(0.0)) == 0
    assert leads() == 4
    assert db.session.scalars(select(Bot.account_id)).one() == account.id


def test_nothing_is_deleted_for_a_recipient_who_cannot_receive(long, other):
    db.session.execute(update(Account).where(Account.id == other.id).values(status=1))
    db.session.commit()
    settlement.settle(9.0, clock(0.0))
    assert states() == [TransferState.FAILED]
    assert leads() == 5


# -- clicks --------------------------------------------------------------------


def test_clicks_that_were_stored_while_their_source_went_come_along(asked, world, account, other):
    bot = world.bot()
    source = world.source(world.campaign(bot_id=bot))
    asked(5.0, bot_id=bot)
    assert settlement.settle(5.0) == 1
    world.click(source, account_id=account.id)  # by a visitor who waited for nobody
    db.session.commit()
    settlement.bring_stragglers(60.0)
    assert db.session.scalars(select(Click.account_id)).all() == [other.id]
    db.session.execute(update(Source).values(account_id=account.id))
    db.session.execute(update(Click).values(account_id=account.id))
    db.session.commit()
    settlement.bring_stragglers(5.0 + 200.0)
    assert db.session.scalars(select(Click.account_id)).all() == [account.id]


def test_a_campaign_that_is_given_to_another_at_this_moment_keeps_its_history(
    live_app, world, asked, make_account
):
    """Its bot was to go without leads; the campaign alone goes to somebody else with them."""
    bot, third = world.bot(), make_account()
    campaign = world.campaign(bot_id=bot)
    world.lead(campaign, bot_id=bot)
    asked(5.0, bot_id=bot, with_leads=False)
    db.session.commit()

    def settle():
        with live_app.app_context():
            settlement.settle(9.0, clock(0.0))

    thread = threading.Thread(target=settle)
    with db.engine.begin() as other_clock:
        inbox.hold(other_clock, [bot])
        thread.start()
        thread.join(0.5)  # by now it has read what belongs to the bot, and waits for us
        gone = update(Campaign).where(Campaign.id == campaign)
        other_clock.execute(gone.values(account_id=third.id))
    thread.join()
    assert leads() == 1
