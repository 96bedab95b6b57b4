"""A person is one lead of a campaign, and a bot knows once whom it may not write to."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Lead, Unreachable


def test_a_person_is_one_lead_of_each_campaign(app, world):
    first, second = world.campaign(), world.campaign()
    world.lead(first, subscriber=5)
    world.lead(second, subscriber=5)
    with pytest.raises(IntegrityError):
        world.lead(first, subscriber=5)


def test_a_lead_belongs_to_a_campaign_that_there_is(app, world):
    with pytest.raises(IntegrityError):
        world.lead(10**9)


def test_a_new_lead_has_reported_nothing_and_names_nobody(app, world):
    number = world.lead(world.campaign(), username="", click="", join_time=None)
    lead = db.session.get_one(Lead, number)
    assert (lead.reports, lead.held, lead.premium) == (0, False, False)
    assert (lead.first_name, lead.last_name, lead.language, lead.click) == ("", "", "", "")
    assert (lead.last_membership_at, lead.join_time) == (0, None)


def test_a_person_is_unreachable_for_one_bot_at_a_time(app):
    for bot in (1, 2):
        db.session.add(Unreachable(bot_id=bot, subscriber=2**40, since=1, reason="blocked"))
        db.session.flush()
    db.session.expunge_all()
    db.session.add(Unreachable(bot_id=1, subscriber=2**40, since=2, reason="again"))
    with pytest.raises(IntegrityError):
        db.session.flush()
