"""Which lead a report is about."""

import pytest

from app.domain.conversions.report import Report
from app.errors import NotFound
from app.services.conversions import people
from app.services.conversions.people import Sender
from plugins.contract import ConversionKind


def report(**fields):
    return Report(ConversionKind.REGISTER, **fields)


@pytest.fixture
def origin(world):
    return Sender(world.account_id)


def test_the_newest_lead_with_the_click_is_meant(world, origin):
    world.lead(world.campaign(), click="c-1")
    newest = world.lead(world.campaign(), click="c-1")
    assert people.find(origin, report(click="c-1")) == newest
    assert people.find(origin, report(click="c-2")) is None


def test_a_stored_click_leads_to_its_lead_by_token_and_by_the_trackers_id(world, origin):
    campaign = world.campaign()
    lead = world.lead(campaign, click="newer")
    world.click(world.source(campaign), token="t" * 16, external="c-1", lead_id=lead)
    assert people.find(origin, report(click="c-1")) == lead
    assert people.find(origin, report(click="t" * 16)) == lead


def test_only_the_campaign_of_the_key_is_searched(world, origin):
    lead = world.lead(world.campaign(), click="c-1", subscriber=7)
    narrow = origin._replace(campaign_id=world.campaign())
    assert people.find(narrow, report(click="c-1")) is None
    for named in ({"lead": lead}, {"subscriber": 7}):
        with pytest.raises(NotFound):
            people.find(narrow, report(**named))


def test_people_of_another_account_are_not_there(world, origin, others_world):
    campaign = others_world.campaign()
    lead = others_world.lead(campaign, click="c-1", subscriber=7)
    others_world.click(others_world.source(campaign), token="t" * 16, lead_id=lead)
    assert people.find(origin, report(click="c-1")) is None
    assert people.find(origin, report(click="t" * 16)) is None
    for named in ({"lead": lead}, {"subscriber": 7}):
        with pytest.raises(NotFound):
            people.find(origin, report(**named))


def test_an_erased_person_is_not_there(world, origin):
    lead = world.lead(world.campaign(), subscriber=-5)
    with pytest.raises(NotFound):
        people.find(origin, report(lead=lead))


def test_a_person_who_may_yet_come_is_awaited_by_the_click(world, origin):
    assert people.find(origin, report(subscriber=7, click="c-1")) is None


def test_an_earlier_event_of_the_same_id_tells_whose_it_is(world, origin):
    lead = world.lead(world.campaign())
    world.conversion(tid="t1", lead_id=lead)
    assert people.find(origin, report(tid="t1")) == lead
    with pytest.raises(NotFound):
        people.find(origin, report(tid="t2"))
