"""What belongs to some campaigns is moved or deleted whole, and nothing of any other."""

from sqlalchemy import select

from app.extensions import db
from app.models import Conversion, EventKey
from app.services.campaigns import bulk


def test_destinations_go_to_the_recipient_and_what_was_to_be_told_is_forgotten(stocks, recipient):
    given, kept = stocks
    before, others = given.owners(), kept.owners()
    bulk.reassign_destinations(db.session.connection(), [given.id], recipient)
    assert given.owners() == before | {"destination": recipient, "notice": None}
    assert kept.owners() == others


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


def test_no_campaigns_are_not_all_and_nothing_is_committed(stocks, recipient):
    given, _ = stocks
    before = given.owners()
    db.session.commit()
    bulk.reassign_destinations(db.session.connection(), [], recipient)
    assert given.owners() == before
    bulk.reassign_destinations(db.session.connection(), [given.id], recipient)
    db.session.rollback()
    assert given.owners() == before
