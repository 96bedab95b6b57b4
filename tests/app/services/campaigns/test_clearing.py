"""A long history is deleted in parts, each of them small, and nobody else's."""

from sqlalchemy import func, select

from app.extensions import db
from app.models import (
    Attempt,
    CampaignDay,
    Click,
    Conversion,
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


def test_deleted_history_leaves_the_campaign_with_its_destinations_only(stocks, bot):
    given, kept = stocks
    before, others = given.owners(), kept.owners()
    assert given.counted() == kept.counted() > 0
    clearing.delete_rest(db.session.connection(), [given.id], [bot])
    assert given.owners() == dict.fromkeys(before) | {
        name: before[name] for name in ("destination", "notice")
    }
    assert (given.counted(), kept.counted() > 0) == (0, True)
    assert kept.owners() == others
    assert sorted(db.session.scalars(select(Attempt.id))) == sorted(kept.attempts)


def test_the_rest_of_several_campaigns_goes_at_once_and_none_is_not_all(stocks, bot):
    first, second = stocks
    connection = db.session.connection()
    before = first.owners(), second.owners()
    clearing.delete_rest(connection, [], [bot])
    assert (first.owners(), second.owners()) == before
    clearing.delete_rest(connection, [first.id, second.id], [bot])
    for model in KINDS:
        assert db.session.scalars(select(model.id)).all() == []


def test_nothing_is_committed(stocks, bot):
    given, _ = stocks
    before = given.owners()
    db.session.commit()
    clearing.delete_rest(db.session.connection(), [given.id], [bot])
    db.session.rollback()
    assert given.owners() == before


def test_conversions_and_what_a_bot_said_and_heard_of_no_lead_go_with_the_rest(world, bot):
    campaign, other = world.campaign(bot_id=bot), world.campaign(bot_id=bot)
    world.conversion(campaign_id=campaign, lead_id=world.lead(campaign, bot_id=bot))
    for each in (campaign, other):
        world.conversion(campaign_id=each)
        message = {"account_id": world.account_id, "bot_id": bot, "chat_id": 7, "lead_id": 0}
        db.session.add(Message(**message, campaign_id=each, text="hi", due=1.0, created=1.0))
    clearing.delete_rest(db.session.connection(), [campaign], [bot])
    for model in (Conversion, Message):
        assert db.session.scalars(select(model.campaign_id)).all() == [other]
