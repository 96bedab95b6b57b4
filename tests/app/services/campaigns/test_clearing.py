"""A long history is deleted in parts, each of them small, and nobody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.extensions import db
from app.models import (
    Attempt,
    CampaignDay,
    Click,
    Invite,
    InviteKind,
    JoinDay,
    JournalEntry,
    Lead,
    Message,
    Postback,
    SourceDay,
    table_of,
)
from app.services.campaigns import clearing

KINDS = (Lead, JournalEntry, Postback, Attempt, Message, Click, Invite)
LEADS = 5


def fill(world, bot):
    """A campaign with a history of `LEADS` leads; its id."""
    campaign = world.campaign(bot_id=bot)
    destination = world.destination(campaign_id=campaign)
    source = world.source(campaign)
    for number in range(LEADS):
        lead = world.lead(campaign, bot_id=bot, subscriber=100 + number)
        whose = {"campaign_id": campaign, "lead_id": lead}
        world.entry(bot, -1, **whose)
        world.attempt(world.postback(destination, **whose))
        world.click(source)
        invite = {"bot_id": bot, "chat_id": -1, "source_id": source, "made": 1, "link": "x"}
        db.session.add(Invite(kind=InviteKind.SINGLE, used_by=100 + number, **invite))
        world.entry(bot, -1, campaign_id=campaign, subscriber=200 + number)
        message = {"account_id": world.account_id, "bot_id": bot, "chat_id": 100 + number}
        db.session.add(Message(**message, **whose, text="hi", due=1.0, created=1.0))
    db.session.add_all(
        [
            CampaignDay(campaign_id=campaign, day=1),
            JoinDay(campaign_id=campaign, source_id=source, day=1, kind=2),
            SourceDay(source_id=source, day=1),
        ]
    )
    db.session.flush()
    return campaign


def counts():
    return [db.session.scalar(select(func.count()).select_from(table_of(model))) for model in KINDS]


@pytest.fixture
def bot(world):
    return world.bot()


def test_parts_are_small_and_together_delete_all_of_it_and_nothing_else(world, bot, monkeypatch):
    monkeypatch.setattr(clearing, "LEADS", 2)
    monkeypatch.setattr(clearing, "ROWS", 3)
    kept = fill(world, bot)
    before = counts()
    given = fill(world, bot)
    parts, left = 0, counts()
    while clearing.delete_part(db.session.connection(), [given], [bot]):
        parts += 1
        now = counts()
        assert all(was - is_ <= 3 for was, is_ in zip(left, now, strict=True))
        left = now
    assert parts > LEADS / 2
    assert left == before
    leads = select(Lead.campaign_id).distinct()
    assert db.session.scalars(leads).all() == [kept]
    for model in (CampaignDay, JoinDay):
        assert db.session.scalars(select(model.campaign_id)).all() == [kept]
    assert len(db.session.scalars(select(SourceDay.source_id)).all()) == 1


def test_a_lead_with_more_postbacks_than_a_part_holds_goes_after_them(world, bot, monkeypatch):
    monkeypatch.setattr(clearing, "ROWS", 3)
    campaign = world.campaign(bot_id=bot)
    lead = world.lead(campaign, bot_id=bot)
    destination = world.destination(campaign_id=campaign)
    for number in range(7):
        world.postback(destination, campaign_id=campaign, lead_id=lead, sequence=number)
    left = []
    while clearing.delete_part(db.session.connection(), [campaign], [bot]):
        left.append((len(db.session.scalars(select(Postback.id)).all()), counts()[0]))
    assert left == [(4, 1), (1, 1), (0, 0)]


def test_of_no_campaigns_nothing_is_left(world, bot):
    fill(world, bot)
    assert not clearing.delete_part(db.session.connection(), [], [bot])
