"""The settings of Altcraft, and the rules between them."""

import functools
from typing import Any

import pytest

from plugins.trackers.altcraft.settings import AltcraftSettings
from tests.support import adapters
from tests.support.altcraft import ACTIONS, TOKEN, settings

problems = functools.partial(adapters.problems, settings)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"token": "with space"}, "token"),
        ({"db_id": 0}, "db_id"),
        ({"pixel_id": None}, "pixel_id"),
        ({"base_url": "http://mail.example.com"}, "base_url"),
        ({"base_url": "ftp://mail.example.com"}, "base_url"),
        ({"base_url": "https://mail.example.com/api?x"}, "base_url"),
        ({"matching": "push_sub"}, "matching"),
        ({"match_value": "{nonsense}"}, "match_value"),
        ({"field_name": ""}, "field_name"),
        ({"field_name": "two words"}, "field_name"),
        ({"field_map": {"_status": "0"}}, "field_map"),
        ({"status_field": "_status"}, "status_field"),
        ({"joined_field": "subscriptions"}, "joined_field"),
        ({"field_map": {"a": "{nonsense}"}}, "field_map"),
        ({"resource_id": 3}, "same_bot"),
        ({"resource_id": 3, "same_bot": True, "mode": "goal"}, "resource_id"),
        ({"auth": "url"}, "auth"),
        ({"mode": "actions"}, "events"),
        ({"events": {"hold": {"trigger": 5}}}, "mode"),
        ({"mode": "profile", "events": {"hold": {"workflow": 5}}}, "mode"),
        ({**ACTIONS, "pixel_id": None}, "pixel_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(more: dict[str, Any], field: str):
    assert list(problems(**more)) == [field]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"goal": "a{b}"}, "goal"),
        ({"goal": "g" * 129}, "goal"),
        ({"value": "inf"}, "value"),
        ({"subscription": "hardbounced"}, "subscription"),
        ({"trigger": 0}, "trigger"),
        ({"workflow": "daily"}, "workflow"),
    ],
)
def test_a_wrong_event_is_named(typed: dict[str, Any], field: str):
    assert list(problems(events={"hold": typed})["events"]["hold"]) == [field]


def test_what_is_not_typed_has_its_default():
    kept = AltcraftSettings().load({"token": TOKEN, "db_id": 1, "pixel_id": 7})
    assert (kept["mode"], kept["matching"], kept["per_second"]) == ("profile_goal", "custom", 5.0)
    assert kept["events"]["wait"]["subscription"] == "subscribed"
    assert kept["events"]["approve"] == {
        "goal": "telegram_approve",
        "value": None,
        "subscription": "",
        "trigger": None,
        "workflow": None,
    }


def test_the_defaults_of_one_destination_are_not_shared_with_another():
    one, other = (settings()["events"]["wait"] for _ in range(2))
    one["goal"] = "changed"
    assert other["goal"] == "telegram_wait"
