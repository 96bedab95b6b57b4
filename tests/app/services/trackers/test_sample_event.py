"""The example event of tests and previews."""

import dataclasses

import pytest

from app.services.trackers.sample_event import sample_event, sample_touch
from plugins.contract import TOUCH_FIELDS, Event, EventKind

_NOT_OF_A_SAMPLE = {
    "lead",
    "account",
    "joined",
    "key",
    "tries",
    "adapter_state",
    "state",
    "premium",
    # A conversion's alone, and this is none.
    "value",
    "currency",
    "name",
    "revision",
    "earlier",
    # As far as an adapter asks for it.
    "touch",
}


@pytest.mark.parametrize("kind", EventKind)
def test_every_field_a_template_may_use_is_filled(kind):
    event = sample_event(kind)
    empty = {field.name for field in dataclasses.fields(Event) if not getattr(event, field.name)}
    assert empty <= _NOT_OF_A_SAMPLE


def test_it_is_the_lead_of_nobody_and_new_each_time():
    first, second = sample_event(EventKind.WAIT), sample_event(EventKind.WAIT)
    assert (first.lead, first.account) == (0, 0)
    assert first.id != second.id


def test_fields_that_are_given_replace_the_examples():
    event = sample_event(EventKind.APPROVE, click="abc", time=1_000_000)
    assert (event.click, event.time, event.joined) == ("abc", 1_000_000, 999_940)


def test_who_only_asked_has_not_joined():
    assert sample_event(EventKind.HOLD).joined is None


def test_of_a_click_it_tells_where_it_came_from_and_no_id():
    assert sample_touch(TOUCH_FIELDS).keys() >= {"source", "utm_source", "sub10", "ad_id"}
    assert not sample_touch(TOUCH_FIELDS).keys() & {"ip", "ua", "fbc", "fbp", "fbclid", "ttclid"}
    assert sample_touch(["utm_term"]) == {"utm_term": "test"}
