"""What a stranger gave away comes back whole, from whoever has it by then."""

import threading
import time

import pytest
from sqlalchemy import select, update

from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    Bot,
    BotStatus,
    Campaign,
    CampaignStatus,
    Conversion,
    Destination,
    JournalEntry,
    Lead,
    Login,
    Postback,
    Transfer,
    TransferState,
)
from app.services.accounts import accounts
from app.services.accounts.accounts import Caller
from app.services.campaigns import settlement, transfer


class Gift:
    """A bot with a campaign that has leads, and the login by which it is given away."""

    def __init__(self, world, login_id):
        self.account = world.account_id
        self.caller = Caller(self.account, "en", "tiger", None, login_id=login_id)
        self.login = login_id
        self.bot = world.bot()
        self.chat = world.chat(self.bot)
        self.campaign = world.campaign(bot_id=self.bot, chat_id=self.chat)
        self.lead = world.lead(self.campaign, bot_id=self.bot)
        world.entry(self.bot, self.chat, campaign_id=self.campaign, lead_id=self.lead)
        self.destination = world.destination(campaign_id=self.campaign)
        world.postback(self.destination, campaign_id=self.campaign, lead_id=self.lead)
        db.session.commit()

    def give(self, token, *, with_leads=True):
        transfer.give_bot(self.caller, token, self.bot, with_leads=with_leads)

    def undo(self):
        accounts.lock(self.account)
        transfer.take_back(self.account, self.login, time.time())
        db.session.commit()

    def owners(self):
        """Who has the bot, its campaign and what they gathered."""
        db.session.expire_all()
        found = {
            model.__name__: set(db.session.scalars(select(model.account_id)))
            for model in (Bot, Campaign, Lead, JournalEntry, Destination, Postback)
        }
        db.session.commit()
        return found

    @property
    def at_home(self):
        names = ("Bot", "Campaign", "Lead", "JournalEntry", "Destination", "Postback")
        return {name: {self.account} for name in names}


@pytest.fixture
def gift(world, account):
    login = Login(nonce_hash="n", account_id=account.id, expires=1.0)
    db.session.add(login)
    db.session.flush()
    return Gift(world, login.id)


@pytest.fixture
def token(other):
    return transfer.token_of(other.id)


def settle(days=0.5):
    settlement.settle(time.time() + days * DAY, lambda: 0.0)
    db.session.expire_all()


def state(model, id_):
    db.session.expire_all()
    found = db.session.scalar(select(model.status).where(model.id == id_))
    db.session.commit()
    return found


def test_what_still_waits_never_goes(gift, token):
    gift.give(token)
    gift.undo()
    settle()
    assert gift.owners() == gift.at_home
    assert db.session.scalars(select(Transfer)).all() == []


def test_what_comes_back_beyond_the_plan_is_paused(gift, token, world):
    more = [world.campaign(bot_id=gift.bot) for _ in range(2)]
    gift.give(token)
    settle()
    accounts.lock(gift.account).tariff = "kitten"
    db.session.commit()
    gift.undo()
    settle()
    assert [state(Campaign, id_) for id_ in (gift.campaign, *more)] == [0, 1, 1]


def test_a_bot_comes_back_with_all_that_it_has_gathered(gift, token, other, others_world):
    gift.give(token)
    settle()
    assert gift.owners() == {name: {other.id} for name in gift.at_home}
    others_world.lead(gift.campaign, bot_id=gift.bot)  # came meanwhile
    gift.undo()
    settle()
    assert gift.owners() == gift.at_home
    assert db.session.scalars(select(Transfer.state)).all() == [TransferState.REVERSED]


def test_a_campaign_that_the_recipient_made_since_stays_theirs_and_ends(
    gift, token, other, others_world
):
    gift.give(token)
    settle()
    made = others_world.campaign(bot_id=gift.bot)
    keys = others_world.destination(campaign_id=made)
    gift.undo()
    settle()
    row = db.session.get_one(Campaign, made)
    assert (row.account_id, row.status) == (other.id, CampaignStatus.DELETED)
    assert db.session.get_one(Destination, keys).account_id == other.id
    assert db.session.get_one(Bot, gift.bot).account_id == gift.account


def test_one_whose_bot_is_gone_for_good_ends_and_does_not_stand_before_others(gift, token):
    gift.give(token)
    settle()
    row = db.session.scalars(select(Transfer)).one()
    row.bot_id = 10**9
    db.session.commit()
    gift.undo()
    settle()
    assert db.session.scalars(select(Transfer.state)).one() == TransferState.REVERSED


def test_a_campaign_comes_back_to_its_bot(gift, token, other, others_world):
    there = others_world.bot()
    others_world.chat(there, chat_id=gift.chat)
    transfer.give_campaign(gift.caller, token, gift.campaign, to_bot=None, with_leads=True)
    settle()
    assert gift.owners()["Campaign"] == {other.id}
    gift.undo()
    settle()
    assert gift.owners() == {**gift.at_home, "Bot": {gift.account, other.id}}
    for model in (Campaign, Lead, JournalEntry):
        assert db.session.scalars(select(model.bot_id)).all() == [gift.bot]


def test_it_is_taken_from_whoever_has_it_by_now(gift, token, other, make_account):
    gift.give(token)
    settle()
    third = make_account(tariff="tiger", paid_until=int(time.time()) + 9 * DAY)
    receiver = Caller(other.id, "en", "tiger", None)
    transfer.give_bot(receiver, transfer.token_of(third.id), gift.bot, with_leads=True)
    settle()
    assert gift.owners()["Bot"] == {third.id}
    gift.undo()
    settle()
    assert gift.owners() == gift.at_home


def test_events_that_were_reported_twice_meanwhile_do_not_keep_it_away(gift, token, world):
    """Whoever has the recipient's account or the owner's session may report what they like."""
    went = world.conversion(campaign_id=gift.campaign, lead_id=gift.lead, tid="order-1")
    gift.give(token)
    settlement.settle(time.time() + DAY)
    assert (db.session.get(Conversion, went).account_id, world.account_id) != (gift.account,) * 2
    again = world.conversion(tid="order-1")
    gift.undo()
    settlement.settle(time.time())
    assert gift.owners() == gift.at_home
    rows = db.session.scalars(select(Conversion).order_by(Conversion.id)).all()
    assert [(row.id, row.account_id, row.key_id) for row in rows] == [
        (went, gift.account, 0),
        (again, gift.account, 0),
    ]
    assert [row.tid for row in rows] == [f"order-1 {went}", "order-1"]


def test_what_waits_to_go_on_does_not_go_on(gift, token, other, make_account):
    gift.give(token)
    settle()
    third = make_account(tariff="tiger", paid_until=int(time.time()) + 9 * DAY)
    receiver = Caller(other.id, "en", "tiger", None)
    transfer.give_bot(receiver, transfer.token_of(third.id), gift.bot, with_leads=True)
    gift.undo()
    settle()
    settle()
    assert gift.owners() == gift.at_home


def test_what_was_deleted_meanwhile_lives_again(gift, token):
    gift.give(token)
    settle()
    db.session.execute(update(Bot).values(status=BotStatus.DELETED, webhook_url="x"))
    db.session.execute(update(Campaign).values(status=CampaignStatus.DELETED))
    db.session.commit()
    gift.undo()
    settle()
    assert gift.owners() == gift.at_home
    assert state(Bot, gift.bot) == BotStatus.ACTIVE
    assert state(Campaign, gift.campaign) == CampaignStatus.ACTIVE
    assert db.session.scalar(select(Bot.webhook_url)) == ""  # set anew by the next check


@pytest.mark.parametrize("is_given_as", ["bot", "campaign"])
def test_one_whose_chat_the_recipient_has_taken_for_a_campaign_of_theirs_lives_again(
    gift, token, other, others_world, is_given_as
):
    """They delete it and make another for its chat, so that it would be dead for good."""
    if is_given_as == "bot":
        gift.give(token)
    else:
        others_world.chat(others_world.bot(), chat_id=gift.chat)
        transfer.give_campaign(gift.caller, token, gift.campaign, to_bot=None, with_leads=True)
    settle()
    held = db.session.get_one(Campaign, gift.campaign)
    held.status, bot = CampaignStatus.DELETED, held.bot_id
    db.session.flush()
    theirs = others_world.campaign(bot_id=bot, chat_id=gift.chat)
    db.session.commit()
    gift.undo()
    settle()
    assert gift.owners()["Campaign"] == {gift.account, other.id}
    assert state(Campaign, gift.campaign) == CampaignStatus.ACTIVE
    assert state(Campaign, theirs) == CampaignStatus.DELETED


def test_a_bot_that_is_connected_elsewhere_anew_comes_back_deleted(gift, token, others_world):
    """Whoever has the token can connect it again: only a new token of BotFather's ends that."""
    gift.give(token)
    settle()
    db.session.execute(update(Bot).values(status=BotStatus.DELETED))
    db.session.execute(update(Campaign).values(status=CampaignStatus.DELETED))
    tg_id = db.session.scalar(select(Bot.tg_id))
    others_world.campaign(bot_id=others_world.bot(tg_id=tg_id), chat_id=gift.chat)
    gift.undo()
    settle()
    bot = db.session.get_one(Bot, gift.bot)
    assert (bot.account_id, bot.status) == (gift.account, BotStatus.DELETED)
    campaign = db.session.get_one(Campaign, gift.campaign)
    assert (campaign.account_id, campaign.status) == (gift.account, CampaignStatus.DELETED)
    db.session.commit()


def test_without_leads_bot_and_campaign_come_back(gift, token):
    gift.give(token, with_leads=False)
    settle(days=2)
    gift.undo()
    settle()
    owners = gift.owners()
    assert (owners["Bot"], owners["Campaign"]) == ({gift.account},) * 2
    assert owners["Lead"] == set()


def test_other_logins_gifts_stay_given(gift, token, other):
    gift.give(token)
    settle()
    accounts.lock(gift.account)
    transfer.take_back(gift.account, gift.login + 1, time.time())
    db.session.commit()
    settle()
    assert gift.owners()["Bot"] == {other.id}


@pytest.mark.parametrize("round_", range(5))
def test_undo_while_a_transfer_takes_effect_leaves_all_at_home(live_app, gift, token, round_):
    gift.give(token)
    start = threading.Barrier(3)

    def run(step):
        with live_app.app_context():
            start.wait()
            time.sleep(0.002 * round_ if step == gift.undo else 0)
            step()

    threads = [threading.Thread(target=run, args=(step,)) for step in (settle, settle, gift.undo)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle()
    assert gift.owners() == gift.at_home
