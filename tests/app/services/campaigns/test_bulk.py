"""What belongs to some campaigns is moved or deleted whole, and nothing of any other."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.domain.lead import CounterDelta, Counts
from app.extensions import db
from app.models import (
    Attempt,
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    Conversion,
    Destination,
    EventKey,
    JournalEntry,
    Lead,
    Message,
    Notice,
    Postback,
    table_of,
)
from app.services.campaigns import bulk
from app.services.leads import counters

HISTORY = (Lead, JournalEntry, Postback, Attempt, Message)
COUNTERS = (CampaignDay, CampaignQuarter, CampaignCohort)


class Stock:
    """A campaign with one of everything, and what became of it."""

    def __init__(self, world: Any, bot: int, shared: int) -> None:
        self.id = world.campaign(bot_id=bot)
        self.lead = world.lead(self.id, bot_id=bot)
        whose = {"campaign_id": self.id, "lead_id": self.lead}
        self.entry = world.entry(bot, -1, **whose)
        self.destination = world.destination(campaign_id=self.id)
        self.own_postback = world.postback(self.destination, **whose)
        self.shared_postback = world.postback(shared, **whose)
        self.attempts = [world.attempt(self.own_postback), world.attempt(self.shared_postback)]
        account = {"account_id": world.account_id, "created": 1.0}
        person = db.session.get_one(Lead, self.lead).subscriber
        message = Message(bot_id=bot, chat_id=person, text="hi", due=1.0, **account, **whose)
        notice = Notice(kind="approve", campaign_id=self.id, **account)
        db.session.add_all([message, notice])
        db.session.flush()
        self.message, self.notice = message.id, notice.id
        delta = CounterDelta(1_780_000_000, Counts(starts=1, unsubs=1), joined=1_780_000_000)
        counters.count(db.session.connection(), [(self.id, delta)])
        db.session.commit()

    def owners(self) -> dict[str, int | None]:
        """The account that each row belongs to now; None where it is gone."""
        rows = {
            "lead": (Lead, self.lead),
            "entry": (JournalEntry, self.entry),
            "destination": (Destination, self.destination),
            "own postback": (Postback, self.own_postback),
            "shared postback": (Postback, self.shared_postback),
            "message": (Message, self.message),
            "notice": (Notice, self.notice),
        }
        return {
            name: db.session.scalar(select(model.account_id).where(model.id == number))
            for name, (model, number) in rows.items()
        }

    def counted(self) -> int:
        """The rows of all counters."""
        tables = [table_of(model) for model in COUNTERS]
        return sum(
            len(db.session.execute(select(table).where(table.c.campaign_id == self.id)).all())
            for table in tables
        )


@pytest.fixture
def bot(world):
    return world.bot()


@pytest.fixture
def recipient(other):
    return other.id


@pytest.fixture
def stocks(world, bot):
    """Two campaigns of one bot, which tell one tracker in common."""
    shared = world.destination()
    return Stock(world, bot, shared), Stock(world, bot, shared)


def test_destinations_go_to_the_recipient_and_what_was_to_be_told_is_forgotten(stocks, recipient):
    given, kept = stocks
    before, others = given.owners(), kept.owners()
    bulk.reassign_destinations(db.session.connection(), [given.id], recipient)
    assert given.owners() == before | {"destination": recipient, "notice": None}
    assert kept.owners() == others


def test_deleted_history_leaves_the_campaign_with_its_destinations_only(stocks, bot):
    given, kept = stocks
    before, others = given.owners(), kept.owners()
    assert given.counted() == kept.counted() > 0
    bulk.delete_history(db.session.connection(), [given.id], old_bots=[bot])
    assert given.owners() == dict.fromkeys(before) | {
        name: before[name] for name in ("destination", "notice")
    }
    assert (given.counted(), kept.counted() > 0) == (0, True)
    assert kept.owners() == others
    assert sorted(db.session.scalars(select(Attempt.id))) == sorted(kept.attempts)


def test_several_campaigns_are_done_at_once_and_none_is_not_all(stocks, bot, recipient):
    first, second = stocks
    connection = db.session.connection()
    before = first.owners(), second.owners()
    bulk.delete_history(connection, [], old_bots=[bot])
    bulk.reassign_destinations(connection, [], recipient)
    assert (first.owners(), second.owners()) == before
    bulk.delete_history(connection, [first.id, second.id], old_bots=[bot])
    for model in HISTORY:
        assert db.session.scalars(select(model.id)).all() == []


def test_nothing_is_committed(stocks, bot, recipient):
    given, _ = stocks
    before = given.owners()
    db.session.commit()
    bulk.reassign_destinations(db.session.connection(), [given.id], recipient)
    bulk.delete_history(db.session.connection(), [given.id], old_bots=[bot])
    db.session.rollback()
    assert given.owners() == before


def conversion(number):
    row = db.session.get(Conversion, number, populate_existing=True)
    return row and (row.account_id, row.key_id)


def test_conversions_go_with_their_leads_under_a_key_that_meets_none_of_the_recipients(
    world, others_world, bot, recipient
):
    campaign = world.campaign(bot_id=bot)
    lead = world.lead(campaign, bot_id=bot)
    whose = {"campaign_id": campaign, "lead_id": lead, "tid": "t1"}
    own, keyed = world.conversion(**whose), world.conversion(key_id=7, **whose)
    cold = world.conversion(campaign_id=campaign)
    theirs = others_world.conversion(tid="t1")
    connection = db.session.connection()
    bulk.reassign_conversions(connection, [lead], recipient)
    giver = world.account_id
    assert conversion(own) == (recipient, -giver)
    assert (conversion(keyed), conversion(cold)) == ((recipient, 7), (giver, 0))
    assert conversion(theirs) == (recipient, 0)
    bulk.reassign_conversions(connection, [lead], giver)
    assert conversion(own) == (giver, 0)


def test_keys_of_a_campaign_that_is_given_away_report_to_nobody(world, recipient):
    campaign = world.campaign()
    bound, free = world.event_key(campaign_id=campaign), world.event_key()
    bulk.reassign_destinations(db.session.connection(), [campaign], recipient)
    assert list(db.session.scalars(select(EventKey.id))) == [free]
    assert bound != free


def test_conversions_are_deleted_with_the_history(world, bot):
    campaign = world.campaign(bot_id=bot)
    gone = world.conversion(campaign_id=campaign, lead_id=world.lead(campaign, bot_id=bot))
    kept = world.conversion(campaign_id=world.campaign())
    bulk.delete_history(db.session.connection(), [campaign], old_bots=[bot])
    assert (conversion(gone), conversion(kept) is not None) == (None, True)
