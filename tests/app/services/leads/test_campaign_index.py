"""A lead event belongs to the living campaign of its bot that it names."""

import time
from typing import Any

import pytest
from sqlalchemy import update

from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    Account,
    AccountStatus,
    Bot,
    BotStatus,
    Campaign,
    CampaignStatus,
    JoinRequest,
)
from app.services.leads.campaign_index import CampaignIndex

ANN = Person(101)
NOW = time.time()


def start(code: str) -> LeadEvent:
    return LeadEvent(LeadEventKind.START, ANN, None, 1, 1, code=code)


def join(chat: int) -> LeadEvent:
    return LeadEvent(LeadEventKind.JOIN, ANN, chat, 1, 1)


def index(*bots: int) -> CampaignIndex:
    return CampaignIndex(db.session.connection(), bots, NOW)


def found(campaigns: CampaignIndex, bot: int, event: LeadEvent) -> int | None:
    row = campaigns.find(bot, event)
    return None if row is None else int(row.id)


def test_a_start_is_found_by_its_code_and_membership_by_its_chat(world: Any) -> None:
    bot = world.bot()
    campaign = world.campaign(bot_id=bot, code="abc", chat_id=-5)
    campaigns = index(bot)
    assert found(campaigns, bot, start("abc")) == campaign
    assert found(campaigns, bot, join(-5)) == campaign
    assert found(campaigns, bot, start("xyz")) is None
    assert found(campaigns, bot, start("")) is None
    assert found(campaigns, bot, join(-6)) is None


def test_a_campaign_is_not_found_by_another_bot(world: Any) -> None:
    bot, other = world.bot(), world.bot()
    world.campaign(bot_id=bot, code="abc", chat_id=-5)
    campaigns = index(bot, other)
    assert found(campaigns, other, start("abc")) is None
    assert found(campaigns, other, join(-5)) is None


@pytest.mark.parametrize(
    ("status", "is_found"),
    [
        (CampaignStatus.ACTIVE, True),
        (CampaignStatus.PAUSED, True),
        (CampaignStatus.DELETED, False),
    ],
)
def test_only_deleted_campaigns_are_left_out(
    world: Any, status: CampaignStatus, is_found: bool
) -> None:
    bot = world.bot()
    campaign = world.campaign(bot_id=bot, code="abc")
    db.session.get_one(Campaign, campaign).status = status
    db.session.commit()
    assert (found(index(bot), bot, start("abc")) == campaign) == is_found


def test_a_deleted_bot_has_no_campaigns(world: Any) -> None:
    bot = world.bot()
    world.campaign(bot_id=bot, code="abc")
    db.session.get_one(Bot, bot).status = BotStatus.DELETED
    db.session.commit()
    assert found(index(bot), bot, start("abc")) is None


@pytest.mark.parametrize(
    "trouble",
    [{"status": AccountStatus.BANNED}, {"tariff": "cat", "paid_until": int(NOW) - 8 * DAY}],
)
def test_a_suspended_account_has_no_campaigns_and_its_bots_are_named(
    world: Any, account: Any, others_world: Any, trouble: dict[str, Any]
) -> None:
    bot, bare, others = world.bot(), world.bot(), others_world.bot()
    world.campaign(bot_id=bot, code="abc")
    db.session.execute(update(Account).where(Account.id == account.id).values(**trouble))
    campaigns = index(bot, bare, others)
    assert found(campaigns, bot, start("abc")) is None
    assert campaigns.suspended_bots == {bot, bare}


@pytest.mark.parametrize("place", ["chat", "campaign", "elsewhere"])
def test_a_campaign_says_whether_anybody_ever_asked_to_join_it(world: Any, place: str) -> None:
    bot = world.bot()
    campaign = world.campaign(bot_id=bot, code="abc", chat_id=-5)
    other = world.campaign(bot_id=bot, code="xyz", chat_id=-6)
    asked = JoinRequest(
        account_id=db.session.get_one(Bot, bot).account_id, bot_id=bot, subscriber=101, asked=1,
        campaign_id=campaign if place == "campaign" else other,
        chat_id=-5 if place == "chat" else -6,
    )  # fmt: skip
    db.session.add(asked)
    db.session.commit()
    row = index(bot).find(bot, start("abc"))
    assert row is not None
    assert bool(row.has_requests) == (place != "elsewhere")
