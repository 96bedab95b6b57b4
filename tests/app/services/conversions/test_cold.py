"""Conversions that came before their lead."""

import time

import pytest
from sqlalchemy import select, text

from app.database.rows import MOST
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Conversion, ConversionDay, Postback
from app.services.conversions import cold, staging
from app.services.trackers.url_templates import events_mask
from plugins.contract import ALL_KINDS

NOW = float(int(time.time()))


@pytest.fixture(autouse=True)
def from_the_beginning(app, monkeypatch):
    monkeypatch.setitem(cold._last, "attached", 0)
    monkeypatch.setitem(cold._last, "counted", 0)
    monkeypatch.setattr(cold, "_after", {})
    monkeypatch.setattr(cold, "_refused", set())
    monkeypatch.setattr(cold, "SECONDS", 3600.0)  # however slow the machine of the tests is


def lead_of(number):
    return db.session.get(Conversion, number, populate_existing=True).lead_id


def test_it_is_attached_counted_and_reported_when_the_lead_comes(world):
    campaign = world.campaign()
    world.destination(campaign_id=campaign, events=events_mask(ALL_KINDS))
    number = world.conversion(click="c-1")
    assert (cold.attach(NOW), lead_of(number)) == (0, None)
    lead = world.lead(campaign, click="c-1")
    assert (cold.attach(NOW), lead_of(number)) == (1, lead)
    assert [row.lead_id for row in db.session.scalars(select(Postback))] == [lead]
    day = db.session.scalars(select(ConversionDay)).one()
    assert (day.campaign_id, day.count, day.value_micro) == (campaign, 1, 49_500_000)
    assert cold.attach(NOW) == 0
    assert len(db.session.scalars(select(Postback)).all()) == 1


def test_it_is_found_through_a_stored_click_too(world):
    campaign = world.campaign()
    number = world.conversion(click="t" * 16)
    lead = world.lead(campaign, click="newer")
    world.click(world.source(campaign), token="t" * 16, lead_id=lead)
    cold.attach(NOW)
    assert lead_of(number) == lead


def test_the_lead_of_another_account_or_campaign_is_not_taken(world, others_world):
    theirs = world.conversion(click="c-1")
    elsewhere = world.conversion(click="c-2", campaign_id=world.campaign())
    others_world.lead(others_world.campaign(), click="c-1")
    world.lead(world.campaign(), click="c-2")
    assert cold.attach(NOW) == 0
    assert (lead_of(theirs), lead_of(elsewhere)) == (None, None)


def test_each_tick_looks_at_a_slice_and_then_begins_again(world, monkeypatch):
    monkeypatch.setattr(cold, "SLICE", 2)
    numbers = [world.conversion(click=f"c-{number}") for number in range(5)]
    campaign = world.campaign()
    for number in range(5):
        world.lead(campaign, click=f"c-{number}")
    assert [cold.attach(NOW) for _ in range(4)] == [2, 2, 1, 0]
    assert all(lead_of(number) for number in numbers)


def test_an_account_with_very_many_keeps_nobody_waiting(world, others_world, monkeypatch):
    monkeypatch.setattr(cold, "SLICE", 4)
    for number in range(50):
        world.conversion(click=f"never-{number}")
    theirs = others_world.conversion(click="c-1")
    others_world.lead(others_world.campaign(), click="c-1")
    assert (cold.attach(NOW), lead_of(theirs) is not None) == (1, True)


def test_of_more_accounts_than_a_tick_looks_at_each_has_its_turn(world, others_world, monkeypatch):
    monkeypatch.setattr(cold, "ACCOUNTS", 1)
    for owner in (world, others_world):
        owner.conversion(click="c-1")
        owner.lead(owner.campaign(), click="c-1")
    assert [cold.attach(NOW) for _ in range(4)] == [1, 1, 0, 0]


def test_what_takes_long_goes_on_in_the_next_tick(world, others_world):
    for owner in (world, others_world):
        campaign = owner.campaign()
        for number in range(2):
            owner.conversion(click=f"c-{number}")
            owner.lead(campaign, click=f"c-{number}")
    for tick in range(4):
        seconds = iter([0.0, 0.1])  # at the start, and before the first; it is late after that
        assert cold.attach(NOW, lambda: next(seconds, cold.SECONDS + 1)) == 1, tick  # noqa: B023


def test_one_that_the_database_refuses_is_left_and_the_others_are_attached(world, monkeypatch):
    numbers = [world.conversion(click=f"c-{number}") for number in range(3)]
    campaign = world.campaign()
    for number in range(3):
        world.lead(campaign, click=f"c-{number}")
    attach = staging.attach

    def refuse(connection, conversion_id, lead_id, now):
        if conversion_id == numbers[0]:
            connection.execute(text("INSERT INTO conversion (id) VALUES (NULL)"))
        return attach(connection, conversion_id, lead_id, now)

    monkeypatch.setattr(staging, "attach", refuse)
    assert [cold.attach(NOW) for _ in range(2)] == [2, 0]
    assert [lead_of(number) is None for number in numbers] == [True, False, False]


def test_sums_beyond_all_money_hold_nothing_up(world):
    campaign = world.campaign()
    for _ in range(12):
        world.conversion(click="c-1", created=NOW, value_micro=999_999_999_999_999_999)
    world.lead(campaign, click="c-1")
    assert cold.attach(NOW) == 12
    day = db.session.scalars(select(ConversionDay)).one()
    assert (day.count, day.value_micro) == (12, MOST)


def test_of_very_many_the_oldest_are_forgotten(world, others_world, monkeypatch):
    monkeypatch.setattr(cold, "MOST", 3)
    numbers = [world.conversion(click=f"c-{number}", created=NOW) for number in range(5)]
    theirs = [others_world.conversion(click=f"c-{n}", created=NOW) for n in range(3)]
    cold.forget(NOW)
    assert set(db.session.scalars(select(Conversion.id))) == {*numbers[2:], *theirs}


def test_after_thirty_days_it_is_forgotten_unless_it_has_a_lead(world):
    old = NOW - 31 * DAY
    world.conversion(click="c-1", created=old)
    kept = {
        world.conversion(click="c-2", created=NOW - 29 * DAY),
        world.conversion(created=old, lead_id=world.lead(world.campaign())),
    }
    cold.forget(NOW)
    assert set(db.session.scalars(select(Conversion.id))) == kept
