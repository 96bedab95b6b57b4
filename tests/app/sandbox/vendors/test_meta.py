"""The double of Meta's Conversions API: one bad event refuses its whole request."""

from typing import Any

import pytest

from app.sandbox.vendors.meta import OLDEST_SECONDS, MetaDouble
from app.sandbox.vendors.vendor import VendorCall

NOW = 1_900_000_000
EVENT = {
    "event_name": "Subscribe",
    "event_time": NOW,
    "event_id": "e1",
    "action_source": "business_messaging",
    "user_data": {"external_id": "a" * 64},
}


@pytest.fixture
def double() -> MetaDouble:
    return MetaDouble(clock=lambda: NOW)


def ask(double: MetaDouble, *events: Any, token: str = MetaDouble.token, **more: Any) -> Any:
    path = f"/v26.0/{double.pixel}/events"
    body = {"data": list(events), **more}
    return double.answer(VendorCall("POST", path, {}, body, {"access_token": token}))


def test_events_are_counted_once_by_name_and_id(double):
    assert ask(double, EVENT, EVENT).body["events_received"] == 2
    ask(double, {**EVENT, "event_name": "Lead"})
    assert [event["event_name"] for event in double.counted()] == ["Subscribe", "Lead"]


def test_after_48_hours_the_same_id_counts_again(double):
    ask(double, EVENT)
    double.clock = lambda: NOW + 48 * 3600
    ask(double, EVENT)
    assert len(double.counted()) == 2


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"event_name": None}, "Name"),
        ({"event_time": "now"}, "time"),
        ({"event_time": NOW - OLDEST_SECONDS - 1}, "Too Old"),
        ({"event_time": NOW + 61}, "Future"),
        ({"action_source": "dream"}, "action source"),
        ({"action_source": "website"}, "client_user_agent"),
        ({"user_data": {}}, "customer information"),
        ({"user_data": {"em": ["ann@example.org"]}}, "em must be hashed"),
        ({"user_data": {"fbc": "IwAR0"}}, "fbc"),
        ({"user_data": {"fbp": "fb.1.5.7"}}, "fbp"),
        ({"custom_data": {"value": 1}}, "currency"),
    ],
)
def test_a_bad_event_is_refused_with_the_good_one_beside_it(double, changes, word):
    answer = ask(double, EVENT, {**EVENT, **changes})
    assert answer.status == 400
    assert word in answer.body["error"]["error_user_title"]
    assert double.taken() == []


def test_a_website_event_needs_its_page_and_its_browser(double):
    people = {"external_id": "a" * 64, "client_user_agent": "Mozilla"}
    page = {"action_source": "website", "event_source_url": "https://e.com/", "user_data": people}
    assert ask(double, EVENT | page).status == 200


def test_a_wrong_token_is_190_and_a_wrong_pixel_100(double):
    assert ask(double, EVENT, token="wrong").body["error"]["code"] == 190
    call = VendorCall("POST", "/v26.0/1/events", {}, {}, {"access_token": double.token})
    assert double.answer(call).body["error"]["code"] == 100


def test_an_event_under_a_test_code_does_not_count(double):
    ask(double, EVENT, test_event_code="TEST5")
    assert (len(double.taken()), double.counted()) == (1, [])
