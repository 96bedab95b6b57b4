"""The built-in adapter for Altcraft, without a network."""

import json
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from plugins.contract import EventKind, Response, Verdict
from plugins.testing import AdapterContract, sample_event
from tests.support.altcraft import (
    ACTIONS,
    ADAPTER,
    SUCCESS,
    TOKEN,
    bodies,
    error,
    follow,
    settings,
)


class TestAsItComes(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {"token": TOKEN, "db_id": 1, "pixel_id": 7}
    success_sample = SUCCESS


class TestEverythingOn(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        "base_url": "https://mail.example.com:8443/",
        "token": TOKEN,
        "auth": "header",
        "db_id": 1,
        "pixel_id": 7,
        "field_type": "int",
        "field_map": {"tg_click": "{click}", "tg_title": "<{title}> {username}"},
        "joined_field": "tg_joined",
        "send_names": True,
        "resource_id": 3,
        "same_bot": True,
        "events": {"approve": {"value": 1.5}, "trash": {"subscription": "unsubscribed"}},
    }
    success_sample = Response(200, {"duplicate-request": "true"}, SUCCESS.body)


class TestActions(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        "token": TOKEN, "db_id": 1, "pixel_id": 7, "matching": "email_profile",
        "match_value": "{subscriber}@telegram.example", "resource_id": 3, "same_bot": True,
        **ACTIONS,
    }  # fmt: skip
    success_sample = SUCCESS


class TestGoalsByClick(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        "token": TOKEN, "db_id": 1, "pixel_id": 7, "mode": "goal",
        "matching": "email", "match_value": "{subscriber}@telegram.example",
    }  # fmt: skip
    success_sample = Response(201, {}, b'{"error":"0"}')


def test_an_event_is_a_profile_and_then_a_goal():
    profile, goal = ADAPTER.build(sample_event(), settings())
    assert profile.url == "https://ru.altkraft.com/api/v1.1/profiles/import"
    assert goal.url == "https://ru.altkraft.com/api/v1.1/goals/register"
    by = {"matching": "custom", "field_name": "telegram_id", "field_value": "987654321"}
    assert json.loads(profile.body) == {
        "token": TOKEN,
        "db_id": 1,
        **by,
        "skip_invalid_subscriptions": True,
        "skip_triggers": False,
        "data": {"telegram_id": "987654321", "_vendor": "abc123", "tg_status": "approve"},
    }
    assert json.loads(goal.body) == {
        "token": TOKEN,
        "db_id": 1,
        **by,
        "pixel_id": 7,
        "goal": "telegram_approve",
        "date": "2026-09-21T14:13:20Z",
        "vendor": "abc123",
        "enrich_profile": False,
        "skip_triggers": False,
        "pixel_data": {
            "click": "Click_1-2",
            "campaign": "abc123",
            "chat": "-1001234567890",
            "language": "en",
            "title": "A channel",
        },
    }


def test_each_step_has_a_request_id_of_its_own():
    profile, goal = ADAPTER.build(sample_event(), settings())
    assert profile.headers["Request-ID"] == sample_event().step_key("profile")
    assert goal.headers["Request-ID"] == sample_event().step_key("goal")
    assert goal.headers["X-Request-ID"] == goal.headers["Request-ID"] == goal.idempotency_key


def test_a_second_join_has_other_request_ids():
    first = ADAPTER.build(sample_event(), settings())
    again = ADAPTER.build(sample_event(id="other", key="other"), settings())
    assert not {one.idempotency_key for one in first} & {one.idempotency_key for one in again}


@pytest.mark.parametrize("auth", ["body", "header"])
def test_the_token_is_never_shown(auth: str):
    for request in ADAPTER.build(sample_event(), settings(auth=auth)):
        assert TOKEN not in request.url
        assert TOKEN not in request.redacted()
        assert (TOKEN in request.headers.get("Authorization", "")) is (auth == "header")
        assert (TOKEN.encode() in request.body) is (auth == "body")


@pytest.mark.parametrize(
    ("mode", "steps"),
    [("profile_goal", ["profile", "goal"]), ("goal", ["goal"]), ("profile", ["profile"])],
)
def test_the_mode_chooses_the_steps(mode: str, steps: list[str]):
    assert list(bodies(sample_event(), mode=mode)) == steps


def test_an_empty_goal_is_not_sent():
    assert list(bodies(sample_event(), events={"approve": {"goal": ""}})) == ["profile"]
    only_goals = {"mode": "goal", "events": {"approve": {"goal": ""}}}
    assert ADAPTER.build(sample_event(), settings(**only_goals)) == ()


@pytest.mark.parametrize(
    "more", [{"match_value": "{click}"}, {"match_value": "{click}", "field_type": "int"}]
)
def test_without_a_value_to_look_for_nothing_is_sent(more: dict[str, Any]):
    assert ADAPTER.build(sample_event(click=""), settings(**more)) == ()


def test_names_that_leave_are_not_kept_in_the_log():
    shown = ADAPTER.build(sample_event(first_name="Жанна"), settings(send_names=True))[0].redacted()
    assert "_fname" not in shown
    assert "Lee" not in shown


@pytest.mark.parametrize("goal", ["Вступил в канал", "joined (€) [ok]", "sale/2_b"])
def test_the_letters_and_signs_of_the_vendors_list_are_good_for_a_goal(goal: str):
    assert bodies(sample_event(), events={"approve": {"goal": goal}})["goal"]["goal"] == goal


def test_an_own_server_may_be_in_the_local_network():
    kept = settings(base_url="http://10.0.0.5:8080/")
    assert ADAPTER.build(sample_event(), kept)[0].url.startswith("http://10.0.0.5:8080/api/")


def test_the_goal_goes_to_the_profile_that_the_first_step_answered():
    (_, outcome), *_ = follow([SUCCESS], "profile")
    profile, goal = ADAPTER.build(sample_event(state=outcome.state), settings())
    body = json.loads(goal.body)
    assert (body["matching"], body["profile_id"]) == ("profile_id", "5f4fa1a5ce")
    assert "field_value" not in body
    assert json.loads(profile.body)["matching"] == "custom"  # it may have to be made


def test_an_answered_profile_that_is_gone_is_looked_up_again():
    event = sample_event(state={"profile": "5f4fa1a5ce"})
    (_, outcome), *_ = follow([error(404)], event=event)
    *_, goal = ADAPTER.build(replace(event, state=outcome.state or {}), settings())
    assert json.loads(goal.body)["matching"] == "custom"


def test_triggers_and_scenarios_follow_the_goal():
    steps = ADAPTER.build(sample_event(), settings(**ACTIONS))
    assert [(one.step, one.url.partition("/v1.1/")[2]) for one in steps] == [
        ("profile", "profiles/import"),
        ("goal", "goals/register"),
        ("trigger", "campaigns/triggers/start"),
        ("workflow", "workflows/start"),
    ]
    assert list(bodies(sample_event(EventKind.TRASH), **ACTIONS)) == ["profile", "workflow"]
    assert list(bodies(sample_event(EventKind.HOLD), **ACTIONS)) == ["profile", "goal"]


def test_an_action_goes_to_the_profile_that_was_answered():
    steps = bodies(sample_event(state={"profile": "5f"}), **ACTIONS)
    for step in ("trigger", "workflow"):
        assert steps[step].items() >= {"matching": "profile_id", "profile_id": "5f"}.items()
        assert "field_value" not in steps[step]


def test_the_probe_warns_of_automation_that_starts_twice():
    answer = fields("telegram_id", "tg_status")
    outcome = ADAPTER.classify_probe(answer, settings(**ACTIONS))
    assert outcome.verdict is Verdict.DELIVERED
    assert outcome.reason.endswith("starts twice at approve")


def test_settings_of_before_the_actions_work_as_they_did():
    kept = settings()
    for event in kept["events"].values():
        del event["trigger"], event["workflow"]
    assert [one.step for one in ADAPTER.build(sample_event(), kept)] == ["profile", "goal"]
    assert ADAPTER.classify_probe(fields("telegram_id", "tg_status"), kept).verdict.is_success


def fields(*names: str) -> Response:
    body = {"error": 0, "data": [{"name": name} for name in names]}
    return Response(200, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("response", "good", "word"),
    [
        (fields("telegram_id", "tg_status"), True, "accepts"),
        (fields("telegram_id"), True, "tg_status"),
        (Response(200, {}, fields("a" * 99).body[:50]), True, "accepts"),
        (error(403), False, "rights"),
        (error(404), False, "database"),
        (Response(200, {}, b"<html>"), False, "not Altcraft"),
        (Response(200, {}, b'{"ok": true}'), False, "not Altcraft"),
    ],
)
def test_the_probe_lists_fields(response: Response, good: bool, word: str):
    probe = ADAPTER.probe(settings(), 1_790_000_000)
    assert probe is not None
    assert probe.url.endswith("/api/v1.1/databases/fields_get")
    assert json.loads(probe.body) == {"token": TOKEN, "db_id": 1}
    outcome = ADAPTER.classify_probe(response, settings())
    assert outcome.verdict.is_success is good
    assert word in outcome.reason


def test_retries_end_before_the_request_id_is_forgotten():
    span = ADAPTER.delivery_policy(settings()).retry_window
    assert span is not None
    assert span < 24 * 3600
    assert ADAPTER.delivery_policy(settings()).send_superseded
