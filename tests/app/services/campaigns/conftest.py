"""Campaigns with one of everything, for tests of what moves and deletes it."""

from typing import Any

import pytest
from sqlalchemy import select

from app.domain.lead import CounterDelta, Counts
from app.extensions import db
from app.models import (
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    Destination,
    JournalEntry,
    Lead,
    Message,
    Notice,
    Postback,
    table_of,
)
from app.services.leads import counters

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
        counters.BatchCounts([(self.id, delta)]).save(db.session.connection())
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
