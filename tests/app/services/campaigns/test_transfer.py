"""Bots and campaigns go to another account later, whole, or not at all; they can be called off."""

import time

import pytest
from sqlalchemy import func, select, update

from app.domain.lead import CounterDelta, Counts
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    Account,
    Attempt,
    Bot,
    Campaign,
    CampaignDay,
    Click,
    Destination,
    JournalEntry,
    Lead,
    Message,
    Postback,
    Source,
    table_of,
)
from app.services.campaigns import settlement, transfer
from app.services.leads import counters


@pytest.fixture
def theirs(api, other):
    """The API as the recipient uses it."""
    return api(other.key)


@pytest.fixture
def token(theirs):
    return theirs.get("transfer/token")["data"]["token"]


class Goods:
    """A bot with one campaign and everything a campaign gathers."""

    def __init__(self, world):
        self.world = world
        self.bot = world.bot()
        self.chat = world.chat(self.bot)
        self.campaign = world.campaign(bot_id=self.bot, chat_id=self.chat)
        self.lead = world.lead(self.campaign, bot_id=self.bot)
        whose = {"campaign_id": self.campaign, "lead_id": self.lead}
        world.entry(self.bot, self.chat, **whose)
        self.source = world.source(self.campaign)
        self.click = world.click(self.source, lead_id=self.lead)
        self.own = world.destination(campaign_id=self.campaign)
        self.shared = world.destination()
        self.postback = world.postback(self.own, **whose)
        self.attempt = world.attempt(self.postback)
        self.to_sender = world.postback(self.shared, **whose)
        started = CounterDelta(1_780_000_000, Counts(starts=1))
        counters.BatchCounts([(self.campaign, started)]).save(db.session.connection())
        message = {"account_id": world.account_id, "bot_id": self.bot, "chat_id": 1, "text": "hi"}
        db.session.add(Message(**message, **whose, due=1.0, created=1.0))
        db.session.commit()


@pytest.fixture
def goods(world):
    return Goods(world)


def settle(seconds=2 * DAY):
    """The clock of the day after tomorrow: whatever waits takes effect, however long it takes."""
    settlement.settle(time.time() + seconds, lambda: 0.0)
    db.session.expire_all()


def rows(model):
    found = db.session.scalar(select(func.count()).select_from(table_of(model)))
    db.session.commit()
    return found


def owner(model, id_):
    found = db.session.scalar(select(model.account_id).where(model.id == id_))
    db.session.commit()
    return found


def test_a_token_stays_until_it_is_renewed(api, theirs, other, token):
    assert theirs.get("transfer/token")["data"]["token"] == token
    resolved = {"name": other.name, "paid": True, "slots": -1}
    assert api.get("transfer/resolve", token=token) == {"status": "ok", "data": resolved}
    fresh = theirs.post("transfer/token")["data"]["token"]
    assert fresh != token
    assert api.get("transfer/resolve", token=token)["error"] == "notfound"
    assert api.get("transfer/resolve", token=fresh)["status"] == "ok"
    assert api.get("transfer/token")["data"]["token"] != fresh


def test_slots_are_what_the_plan_leaves(api, make_account, world_of):
    poor = make_account(tariff="cat", paid_until=int(time.time()) + 100)
    for _ in range(2):
        world_of(poor.id).campaign()
    world_of(poor.id).campaign(status=2)
    token = api(poor.key).get("transfer/token")["data"]["token"]
    assert api.get("transfer/resolve", token=token)["data"]["slots"] == 13


def test_a_bot_goes_with_its_campaigns_and_all_they_gathered(api, theirs, token, goods, other):
    assert api.post("transfer/bot", token=token, id=goods.bot, leads=1) == {"status": "ok"}
    settle()
    assert api.get("camp/list")["data"] == []
    assert [bot["id"] for bot in theirs.get("bots/list")["data"]] == [goods.bot]
    (campaign,) = theirs.get("camp/list")["data"]
    assert (campaign["id"], campaign["starts"]) == (goods.campaign, 1)
    assert theirs.get("leads/list")["data"][0]["id"] == goods.lead
    assert theirs.get("journal/list", bot=goods.bot, chat=goods.chat)["total"] == 1
    assert [one["id"] for one in theirs.get("postbacks/list")["data"]] == [goods.postback]
    assert [one["id"] for one in api.get("postbacks/list")["data"]] == [goods.to_sender]
    assert owner(Destination, goods.own) == other.id
    assert owner(Source, goods.source) == owner(Click, goods.click) == other.id
    assert owner(Destination, goods.shared) != other.id
    assert api.get("leads/list")["total"] == 0


def test_without_leads_everything_of_them_is_deleted(api, theirs, token, goods):
    assert api.post("transfer/bot", token=token, id=goods.bot, leads=0) == {"status": "ok"}
    settle()
    for model in (Lead, JournalEntry, Postback, Attempt, CampaignDay, Message, Click):
        assert rows(model) == 0
    assert theirs.get("camp/list")["data"][0]["starts"] == 0


def test_deleted_campaigns_stay(api, token, goods, world, account):
    gone = world.campaign(bot_id=goods.bot, status=2)
    lead = world.lead(gone)
    api.post("transfer/bot", token=token, id=goods.bot, leads=0)
    settle()
    assert owner(Campaign, gone) == account.id
    assert owner(Lead, lead) == account.id


def test_a_campaign_goes_to_a_bot_that_administers_its_chat(
    api, theirs, token, goods, others_world
):
    bot = others_world.bot()
    refused = api.post("transfer/camp", token=token, id=goods.campaign, bot=bot, leads=1)
    assert refused["error"] == "nochat"
    assert api.post("transfer/camp", token=token, id=goods.campaign, leads=1)["error"] == "nochat"
    others_world.chat(bot, chat_id=goods.chat)
    assert api.post("transfer/camp", token=token, id=goods.campaign, leads=1) == {"status": "ok"}
    settle()
    (campaign,) = theirs.get("camp/list")["data"]
    assert (campaign["id"], campaign["bot"], campaign["starts"]) == (goods.campaign, bot, 1)
    assert theirs.get("journal/list", bot=bot, chat=goods.chat)["total"] == 1
    assert owner(Bot, goods.bot) != owner(Bot, bot)


def test_the_recipient_must_have_paid_and_have_room(api, goods, make_account, world_of):
    kitten = make_account()
    cat = make_account(tariff="cat", paid_until=int(time.time()) + 100)
    for _ in range(15):
        world_of(cat.id).campaign()
    for account, code in ((kitten, "recipient"), (cat, "limit")):
        token = api(account.key).get("transfer/token")["data"]["token"]
        assert api.post("transfer/bot", token=token, id=goods.bot, leads=1)["error"] == code
    assert len(api.get("camp/list")["data"]) == 1


@pytest.mark.parametrize("path", ["transfer/bot", "transfer/camp"])
def test_what_is_missing_or_foreign_is_refused(api, token, goods, others_world, path):
    foreign = others_world.bot() if path.endswith("bot") else others_world.campaign()
    for id_ in (foreign, 10**12):
        assert api.post(path, token=token, id=id_, leads=1)["error"] == "notfound"
    id_ = goods.bot if path.endswith("bot") else goods.campaign
    assert api.post(path, token="nobody", id=id_, leads=1)["error"] == "notfound"
    assert api.post(path, token=token, id=id_)["field"] == "leads"
    own = api.get("transfer/token")["data"]["token"]
    answer = api.post("transfer/bot", token=own, id=goods.bot, leads=1)
    assert answer["field"] == "token"


# -- waiting -------------------------------------------------------------------


def pending(api):
    return [row for row in api.get("transfer/list")["data"] if row["state"] == "pending"]


def test_a_transfer_waits_and_both_accounts_see_it(api, theirs, token, goods, other):
    account = goods.world.account_id
    sender = db.session.get_one(Account, account).name
    assert api.post("transfer/bot", token=token, id=goods.bot, leads=1) == {"status": "ok"}
    (mine,), (incoming,) = pending(api), pending(theirs)
    assert (mine["incoming"], mine["name"]) == (False, other.name)
    assert (incoming["incoming"], incoming["name"]) == (True, sender)
    assert (mine["bot"], mine["camp"], mine["leads"]) == (goods.bot, 0, True)
    settle(transfer.WAIT_SECONDS - 5)
    assert owner(Bot, goods.bot) == account
    settle(transfer.WAIT_SECONDS + 5)
    assert owner(Bot, goods.bot) == other.id
    assert [row["state"] for row in api.get("transfer/list")["data"]] == ["done"]


def test_what_is_deleted_for_good_waits_for_a_day(api, token, goods, account, other):
    api.post("transfer/bot", token=token, id=goods.bot, leads=0)
    settle(DAY - 60)
    assert (owner(Bot, goods.bot), rows(Lead)) == (account.id, 1)
    settle(DAY + 60)
    assert (owner(Bot, goods.bot), rows(Lead)) == (other.id, 0)


def test_a_transfer_is_called_off_by_its_owner_alone(api, theirs, token, goods, account):
    api.post("transfer/camp", token=token, id=goods.campaign, leads=1)
    api.post("transfer/bot", token=token, id=goods.bot, leads=1)
    (waiting,) = pending(api)
    assert theirs.post("transfer/cancel", id=waiting["id"])["error"] == "notfound"
    assert api.post("transfer/cancel", id=waiting["id"]) == {"status": "ok"}
    assert api.post("transfer/cancel", id=waiting["id"])["error"] == "notfound"
    settle()
    assert owner(Bot, goods.bot) == account.id
    assert pending(api) == pending(theirs) == []


def test_asking_twice_is_asking_once_and_nothing_goes_to_two(api, make_account, token, goods):
    for _ in range(2):
        assert api.post("transfer/bot", token=token, id=goods.bot, leads=1) == {"status": "ok"}
    assert len(pending(api)) == 1
    third = make_account(tariff="tiger", paid_until=int(time.time()) + DAY)
    another = api(third.key).get("transfer/token")["data"]["token"]
    assert api.post("transfer/bot", token=another, id=goods.bot, leads=1)["field"] == "id"
    assert api.post("transfer/bot", token=token, id=goods.bot, leads=0)["field"] == "id"


def test_what_cannot_be_any_more_fails_and_says_why(api, token, goods, other, account):
    api.post("transfer/bot", token=token, id=goods.bot, leads=1)
    change = update(Account).where(Account.id == other.id)
    db.session.execute(change.values(tariff="kitten", paid_until=None))
    db.session.commit()
    settle()
    (row,) = api.get("transfer/list")["data"]
    assert (row["state"], row["error"]) == ("failed", "recipient")
    assert owner(Bot, goods.bot) == account.id


@pytest.mark.parametrize("banned", ["account", "other"])
def test_nothing_goes_from_or_to_a_banned_account(api, token, goods, request, banned):
    api.post("transfer/bot", token=token, id=goods.bot, leads=1)
    who = request.getfixturevalue(banned)
    db.session.execute(update(Account).where(Account.id == who.id).values(status=1))
    db.session.commit()
    settle()
    assert owner(Bot, goods.bot) == goods.world.account_id


def test_settled_transfers_are_forgotten_after_a_month(api, token, goods):
    api.post("transfer/bot", token=token, id=goods.bot, leads=1)
    settle()
    settlement.forget(time.time() + 31 * DAY)
    assert api.get("transfer/list")["data"] != []
    settlement.forget(time.time() + 33 * DAY)
    assert api.get("transfer/list")["data"] == []
