"""The built-in adapter for Altcraft, without a network."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugins import altcraft
from plugins.altcraft_answers import RULES
from plugins.contract import Event, EventKind, Outcome, Response, Verdict
from plugins.registry import make_adapter
from plugins.testing import AdapterContract, sample_event

TOKEN = "0123456789abcdef0123456789abcdef"
ADAPTER = make_adapter("altcraft", altcraft)
SUCCESS = Response(
    200, {}, b'{"error":0,"error_text":"Successful operation","profile_id":"5f4fa1a5ce"}'
)


def settings(**more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({"token": TOKEN, "db_id": 1, "pixel_id": 7, **more})


def problems(**more: Any) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        settings(**more)
    messages = caught.value.messages
    assert isinstance(messages, dict)
    return messages


def bodies(event: Event, **more: Any) -> dict[str, dict[str, Any]]:
    """What each step says, by its name."""
    return {one.step: json.loads(one.body) for one in ADAPTER.build(event, settings(**more))}


def judged(response: Response, step: str = "profile", **more: Any) -> Outcome:
    kept = settings(**more)
    request = next(one for one in ADAPTER.build(sample_event(), kept) if one.step == step)
    return ADAPTER.classify(response, request, sample_event(), kept)


def error(code: Any, status: int = 200, **headers: str) -> Response:
    body = {"error": code, "error_text": "so they say"}
    return Response(status, headers, json.dumps(body).encode())


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


def test_a_person_is_subscribed_when_he_opens_our_bot():
    bot = {"resource_id": 3, "same_bot": True}
    told = bodies(sample_event(EventKind.WAIT), **bot)["profile"]["data"]["subscriptions"]
    assert told == [
        {
            "channel": "telegram_bot",
            "resource_id": 3,
            "cc_data": {"id": 987654321},
            "status": "subscribed",
        }
    ]
    for kind in (EventKind.HOLD, EventKind.APPROVE, EventKind.CANCEL, EventKind.TRASH):
        assert "subscriptions" not in bodies(sample_event(kind), **bot)["profile"]["data"]


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
    said = bodies(sample_event(), **more)
    rest = {"_vendor": "abc123", "tg_status": "approve"}
    for step in said.values():
        assert step.items() >= asked.items()
        assert step["matching"] == more.get("matching", "custom")
    assert said["profile"]["data"] == {**rest, **data}


@pytest.mark.parametrize(
    "more", [{"match_value": "{click}"}, {"match_value": "{click}", "field_type": "int"}]
)
def test_without_a_value_to_look_for_nothing_is_sent(more: dict[str, Any]):
    assert ADAPTER.build(sample_event(click=""), settings(**more)) == ()


def test_further_fields_are_filled_and_empty_ones_left_alone():
    said = bodies(
        sample_event(username=""),
        field_map={"click": "{click}", "nick": "{username}", "tg_status": "mine"},
        joined_field="joined",
        send_names=True,
    )
    data = said["profile"]["data"]
    assert data["click"] == "Click_1-2"
    assert "nick" not in data
    assert data["tg_status"] == "approve"
    assert data["joined"] == "2026-09-21T13:56:40Z"
    assert (data["_fname"], data["_lname"]) == ("Ann", "Lee")


def test_names_that_leave_are_not_kept_in_the_log():
    shown = ADAPTER.build(sample_event(first_name="Жанна"), settings(send_names=True))[0].redacted()
    assert "_fname" not in shown
    assert "Lee" not in shown


def test_a_goal_may_take_value_back():
    said = bodies(sample_event(EventKind.CANCEL), events={"cancel": {"value": -2}})
    assert said["goal"]["value"] == -2


@given(click=st.text(max_size=600), title=st.text(max_size=600), campaign=st.text(max_size=64))
def test_pixel_data_stays_flat_and_under_a_kilobyte(click: str, title: str, campaign: str):
    said = bodies(sample_event(click=click, title=title, campaign=campaign))
    data = said["goal"]["pixel_data"]
    assert len(json.dumps(data, ensure_ascii=False).encode()) <= 1024
    assert all(isinstance(value, str) for value in data.values())


def test_the_click_is_the_last_to_go():
    data = bodies(sample_event(click="c" * 900, title="t" * 255))["goal"]["pixel_data"]
    assert data["click"] == "c" * 900
    assert "title" not in data


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
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(more: dict[str, Any], field: str):
    assert list(problems(**more)) == [field]


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"goal": "a{b}"}, "goal"),
        ({"goal": "g" * 129}, "goal"),
        ({"value": "inf"}, "value"),
        ({"subscription": "hardbounced"}, "subscription"),
    ],
)
def test_a_wrong_event_is_named(told: dict[str, Any], field: str):
    assert list(problems(events={"hold": told})["events"]["hold"]) == [field]


@pytest.mark.parametrize("goal", ["Вступил в канал", "joined (€) [ok]", "sale/2_b"])
def test_the_letters_and_signs_of_the_vendors_list_are_good_for_a_goal(goal: str):
    assert bodies(sample_event(), events={"approve": {"goal": goal}})["goal"]["goal"] == goal


def test_an_own_server_may_be_in_the_local_network():
    kept = settings(base_url="http://10.0.0.5:8080/")
    assert ADAPTER.build(sample_event(), kept)[0].url.startswith("http://10.0.0.5:8080/api/")


@pytest.mark.parametrize("code", RULES)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_number_in_the_body_goes_before_the_status(code: int, status: int):
    rule = RULES[code]
    outcome = judged(error(code, status), "goal", mode="goal")
    assert (outcome.verdict, outcome.stop) == (rule.verdict, rule.stop)


def test_an_unknown_number_is_final():
    assert judged(error(777)).verdict is Verdict.REJECTED


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"<html>", Verdict.RETRY),
        (200, b"", Verdict.RETRY),
        (200, b'{"error": 0, "prof', Verdict.RETRY),
        (200, b'{"error": "strange"}', Verdict.RETRY),
        (200, b'{"error": true}', Verdict.RETRY),
        (200, b'{"profile_id": "5f"}', Verdict.DELIVERED),
        (403, b"<html>", Verdict.REJECTED),
        (402, b"", Verdict.RETRY),
        (408, b"", Verdict.RETRY),
        (429, b"<html>", Verdict.RETRY),
        (501, b"<html>", Verdict.REJECTED),
        (502, b"<html>", Verdict.RETRY),
    ],
)
def test_an_answer_that_is_not_altcrafts_is_judged_by_status(
    status: int, body: bytes, verdict: Verdict
):
    assert judged(Response(status, {}, body)).verdict is verdict


def test_no_tariff_parks_and_a_bad_token_stops():
    assert judged(error(402)).verdict is Verdict.RETRY
    assert judged(error(402)).stop
    assert judged(error(401)).verdict is Verdict.REJECTED
    assert judged(error(401)).stop


def test_a_profile_that_exists_already_is_as_good():
    assert judged(error(409)).verdict is Verdict.DUPLICATE
    assert judged(error(409), "goal").verdict is Verdict.REJECTED


def test_a_goal_may_come_before_its_profile_is_found():
    assert judged(error(404), "goal").verdict is Verdict.RETRY
    assert judged(error(404), "goal", mode="goal").verdict is Verdict.REJECTED
    assert judged(error(404), "profile").verdict is Verdict.REJECTED


@pytest.mark.parametrize("name", ["duplicate-request", "x-duplicate-request"])
def test_both_marks_of_a_duplicate_are_known(name: str):
    assert judged(error(0, 200, **{name: "true"})).verdict is Verdict.DUPLICATE
    replayed = judged(error(402, 200, **{name: "true"}))
    assert (replayed.verdict, replayed.stop) == (Verdict.REJECTED, False)
    assert "resend" in replayed.reason


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
    probe = ADAPTER.probe(settings())
    assert probe is not None
    assert probe.url.endswith("/api/v1.1/databases/fields_get")
    assert json.loads(probe.body) == {"token": TOKEN, "db_id": 1}
    outcome = ADAPTER.classify_probe(response, settings())
    assert outcome.verdict.is_success is good
    assert word in outcome.reason


def test_retries_end_before_the_request_id_is_forgotten():
    span = ADAPTER.retry_span(settings())
    assert span is not None
    assert span < 24 * 3600
    assert ADAPTER.wants_every_event(settings())
