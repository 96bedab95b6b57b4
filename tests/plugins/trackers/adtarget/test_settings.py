"""The settings of AdTarget, and what each event becomes by default."""

import functools
from typing import Any

import pytest

from plugins.contract import EventKind
from plugins.trackers.adtarget.settings import AUTO, OFF, PLANS, AdTargetSettings
from tests.support import adapters

KEY = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"


def settings(**more: Any) -> dict[str, Any]:
    return dict(AdTargetSettings().load({"key": KEY, "site": "atid_1", **more}))


problems = functools.partial(adapters.problems, settings)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"key": "sk-12345"}, "key"),
        ({"site": "two words"}, "site"),
        ({"currency": "usd"}, "currency"),
        ({"click_type": "yclid"}, "click_type"),
        ({"base_url": "http://example.com"}, "base_url"),
        ({"base_url": "https://example.com/api"}, "base_url"),
        ({"base_url": "https://me@example.com"}, "base_url"),
        ({"events": {"approve": {"type": "Subscribe", "value": 3}}}, "currency"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(more: dict[str, Any], field: str):
    assert list(problems(**more)) == [field]


@pytest.mark.parametrize(
    ("event", "typed", "field"),
    [
        ("approve", {"type": "Purchase"}, "value"),
        ("approve", {"type": "Purchase", "value": 0}, "value"),
        ("approve", {"type": "Purchase", "value": "nan"}, "value"),
        ("cancel", {"type": "Lead"}, "type"),
        ("trash", {"type": "Purchase", "value": 1}, "type"),
        ("wait", {"type": "Subscribe"}, "type"),
        ("wait", {"type": "Custom", "name": "x" * 65}, "name"),
    ],
)
def test_a_wrong_event_is_named(event: str, typed: dict[str, Any], field: str):
    assert field in problems(currency="USD", events={event: typed})["events"][event]


def test_every_event_is_automatic_until_it_is_chosen():
    kept = settings(events={"approve": {"type": "Lead"}})
    assert kept["events"]["approve"] == {"type": "Lead", "name": "", "value": None}
    assert kept["events"]["wait"] == {"type": AUTO, "name": "", "value": None}


def test_the_defaults_of_one_destination_are_not_shared_with_another():
    one, other = (settings()["events"]["wait"] for _ in range(2))
    one["name"] = "changed"
    assert other["name"] == ""


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_may_become_what_its_plan_lists_and_nothing_else(kind: EventKind):
    plan = PLANS[kind]
    assert plan.recommended in (OFF, *plan.types)
    for name in ("Subscribe", "Lead", "CompleteRegistration", "Purchase", "Custom"):
        typed = {"currency": "USD", "events": {kind.value: {"type": name, "value": 1}}}
        if name in plan.types:
            assert settings(**typed)["events"][kind.value]["type"] == name
        else:
            assert "type" in problems(**typed)["events"][kind.value]
