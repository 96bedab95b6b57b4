"""Bodies of Altcraft's requests."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import EventKind
from plugins.kit import macros
from plugins.testing import sample_event
from plugins.trackers.altcraft import bodies as make_bodies
from tests.support.altcraft import ACTIONS, TOKEN, bodies, settings


def test_a_person_is_subscribed_when_he_opens_our_bot():
    bot = {"resource_id": 3, "same_bot": True}
    subscriptions = bodies(sample_event(EventKind.WAIT), **bot)["profile"]["data"]["subscriptions"]
    assert subscriptions == [
        {
            "channel": "telegram_bot",
            "resource_id": 3,
            "cc_data": {"id": 987654321},
            "status": "subscribed",
        }
    ]
    for kind in (EventKind.HOLD, EventKind.APPROVE, EventKind.CANCEL, EventKind.TRASH):
        assert "subscriptions" not in bodies(sample_event(kind), **bot)["profile"]["data"]


def test_a_new_macro_is_not_told_to_altcraft_by_itself(monkeypatch):
    with_a_new_one = {**macros.MACROS, "phone": lambda _: "+15550100"}
    before = make_bodies.trigger(1, {"matching": "email"}, sample_event())
    monkeypatch.setattr(macros, "MACROS", with_a_new_one)
    assert make_bodies.trigger(1, {"matching": "email"}, sample_event()) == before
    assert before["content"]["click"] == "Click_1-2"


def test_nobody_is_subscribed_without_a_resource():
    assert "subscriptions" not in bodies(sample_event(EventKind.WAIT))["profile"]["data"]


@pytest.mark.parametrize(
    ("more", "asked", "data"),
    [
        ({"field_type": "int"}, {"field_value": 987654321}, {"telegram_id": 987654321}),
        ({"field_name": "CRM_ID"}, {"field_name": "CRM_ID"}, {"CRM_ID": "987654321"}),
        ({"matching": "profile_id", "match_value": "{click}"}, {"profile_id": "Click_1-2"}, {}),
        ({"matching": "phone", "match_value": "+7"}, {"phone": "+7"}, {"phones": ["+7"]}),
        ({"matching": "email", "match_value": "a@b"}, {"email": "a@b"}, {"email": "a@b"}),
        ({"matching": "email_profile", "match_value": "a@b"}, {"email": "a@b"}, {"email": "a@b"}),
    ],
)
def test_profiles_are_found_as_the_owner_says(
    more: dict[str, Any], asked: dict[str, Any], data: dict[str, Any]
):
    steps = bodies(sample_event(), **more)
    rest = {"_vendor": "abc123", "tg_status": "approve"}
    for step in steps.values():
        assert step.items() >= asked.items()
        assert step["matching"] == more.get("matching", "custom")
    assert steps["profile"]["data"] == {**rest, **data}


def test_further_fields_are_filled_and_empty_ones_left_alone():
    steps = bodies(
        sample_event(username=""),
        field_map={"click": "{click}", "nick": "{username}", "tg_status": "mine"},
        joined_field="joined",
        send_names=True,
    )
    data = steps["profile"]["data"]
    assert data["click"] == "Click_1-2"
    assert "nick" not in data
    assert data["tg_status"] == "approve"
    assert data["joined"] == "2026-09-21T13:56:40Z"
    assert (data["_fname"], data["_lname"]) == ("Ann", "Lee")


def test_a_goal_may_take_value_back():
    steps = bodies(sample_event(EventKind.CANCEL), events={"cancel": {"value": -2}})
    assert steps["goal"]["value"] == -2


@given(click=st.text(max_size=600), title=st.text(max_size=600), campaign=st.text(max_size=64))
def test_pixel_data_stays_flat_and_under_a_kilobyte(click: str, title: str, campaign: str):
    steps = bodies(sample_event(click=click, title=title, campaign=campaign))
    data = steps["goal"]["pixel_data"]
    assert len(json.dumps(data, ensure_ascii=False).encode()) <= 1024
    assert all(isinstance(value, str) for value in data.values())


def test_the_click_is_the_last_to_go():
    data = bodies(sample_event(click="c" * 900, title="t" * 255))["goal"]["pixel_data"]
    assert data["click"] == "c" * 900
    assert "title" not in data


def test_an_action_is_told_all_macros():
    trigger = bodies(sample_event(username=""), **ACTIONS)["trigger"]
    assert trigger == {
        "token": TOKEN,
        "id": 11,
        "matching": "custom",
        "field_name": "telegram_id",
        "field_value": "987654321",
        "content": {
            "click": "Click_1-2",
            "status": "approve",
            "campaign": "abc123",
            "user": "42",
            "lead": "12",
            "subscriber": "987654321",
            "chat": "-1001234567890",
            "time": "1790000000",
            "title": "A channel",
            "premium": "1",
            "language": "en",
            "event_id": "018f-sample-event",
        },
    }


@pytest.mark.parametrize(
    ("matching", "in_trigger", "in_workflow", "resource"),
    [
        ("email_profile", "email_profile", "email", 3),
        ("email", "email", "email", 3),
        ("phone", "phone", "phone", 3),
        ("custom", "custom", "custom", None),
    ],
)
def test_each_action_is_matched_by_the_modes_it_knows(
    matching: str, in_trigger: str, in_workflow: str, resource: int | None
):
    more = {"matching": matching, "match_value": "7", "resource_id": 3, "same_bot": True}
    steps = bodies(sample_event(), **more, **ACTIONS)
    assert steps["trigger"]["matching"] == in_trigger
    assert steps["workflow"]["matching"] == in_workflow
    assert steps["workflow"].get("resource_id") == resource


def test_a_profile_is_matched_by_its_own_key_or_not_at_all():
    assert make_bodies.match(sample_event(), settings()) == {
        "matching": "custom",
        "field_name": "telegram_id",
        "field_value": "987654321",
    }
    by_click = settings(match_value="{click}")
    assert make_bodies.match(sample_event(click=""), by_click) is None
    as_number = settings(match_value="{click}", field_type="int")
    assert make_bodies.match(sample_event(click="12a"), as_number) is None


def test_a_field_may_be_filled_from_the_click_and_an_action_still_hears_nothing_of_it():
    event = sample_event(touch={"utm_source": "fb ads", "ip": "203.0.113.7"})
    fields = {"field_map": {"from": "{utm_source}"}}
    assert bodies(event, **fields)["profile"]["data"]["from"] == "fb ads"
    assert "203.0.113.7" not in str(bodies(event, **ACTIONS))
    assert "fb ads" not in str(bodies(event, **ACTIONS))
