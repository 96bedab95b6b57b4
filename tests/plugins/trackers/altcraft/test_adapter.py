"""The built-in adapter for Altcraft, without a network."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugins.contract import Event, EventKind, Outcome, Response, Verdict
from plugins.registry import make_adapter
from plugins.testing import AdapterContract, sample_event
from plugins.trackers.altcraft import adapter
from plugins.trackers.altcraft.answers import RULES

TOKEN = "0123456789abcdef0123456789abcdef"
ADAPTER = make_adapter("altcraft", adapter)
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


ACTIONS: dict[str, Any] = {
    "mode": "actions",
    "events": {"approve": {"trigger": 11, "workflow": 12}, "trash": {"goal": "", "workflow": 13}},
}


def follow(
    answers: Iterable[Response], step: str = "goal", event: Event | None = None, **more: Any
) -> list[tuple[str, Outcome]]:
    """Try one step again and again: its Request-ID and the outcome of each answer."""
    event, kept, seen = event or sample_event(), settings(**more), []
    for number, answer in enumerate(answers):
        event = replace(event, tries=number)
        request = next(one for one in ADAPTER.build(event, kept) if one.step == step)
        outcome = ADAPTER.classify(answer, request, event, kept)
        seen.append((request.idempotency_key, outcome))
        if outcome.carry is not None:
            event = replace(event, carried=outcome.carry)
    return seen


def verdicts(seen: list[tuple[str, Outcome]]) -> list[Verdict]:
    return [outcome.verdict for _, outcome in seen]


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
    ("told", "field"),
    [
        ({"goal": "a{b}"}, "goal"),
        ({"goal": "g" * 129}, "goal"),
        ({"value": "inf"}, "value"),
        ({"subscription": "hardbounced"}, "subscription"),
        ({"trigger": 0}, "trigger"),
        ({"workflow": "daily"}, "workflow"),
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
    ("status", "verdict"),
    [
        (400, Verdict.REJECTED),
        (403, Verdict.REJECTED),
        (408, Verdict.RETRY),
        (429, Verdict.RETRY),
        (501, Verdict.REJECTED),
        (502, Verdict.RETRY),
        (503, Verdict.RETRY),
    ],
)
def test_an_unknown_number_under_a_passing_status_is_tried_again(status: int, verdict: Verdict):
    outcome = judged(error(status if status > 501 else 777, status))
    assert (outcome.verdict, outcome.stop) == (verdict, False)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"<html>", Verdict.RETRY),
        (200, b"", Verdict.RETRY),
        (200, b'{"error": 0, "prof', Verdict.RETRY),
        (200, b'{"error": "strange"}', Verdict.RETRY),
        (200, b'{"error": true}', Verdict.RETRY),
        (200, b'{"profile_id": "5f"}', Verdict.DELIVERED),
        (403, b"<html>", Verdict.RETRY),
        (404, b"<html>", Verdict.REJECTED),
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


@pytest.mark.parametrize("code", [401, 402, 403])
@pytest.mark.parametrize("step", ["profile", "goal"])
def test_what_its_owner_can_mend_parks_and_keeps_the_event(code: int, step: str):
    outcome = judged(error(code), step)
    assert (outcome.verdict, outcome.stop) == (Verdict.RETRY, True)


def test_a_profile_that_exists_already_is_as_good():
    assert judged(error(409)).verdict is Verdict.DUPLICATE
    assert judged(error(409), "goal").verdict is Verdict.REJECTED


def test_a_goal_whose_profile_is_not_found_yet_is_tried_three_times_more():
    seen = follow([error(404)] * 4)
    assert verdicts(seen) == [Verdict.RETRY] * 3 + [Verdict.REJECTED]
    assert len({key for key, _ in seen}) == 4  # the 404 might be replayed
    assert seen[0][0] == sample_event().step_key("goal")


def test_other_failures_do_not_use_up_the_tries_of_a_missing_profile():
    seen = follow([error(404), error(500), error(429), error(404), error(404), SUCCESS])
    assert verdicts(seen) == [Verdict.RETRY] * 5 + [Verdict.DELIVERED]
    keys = [key for key, _ in seen]
    assert keys[1] == keys[2] == keys[3]
    assert len(set(keys)) == 4


def test_only_a_profile_that_was_just_written_is_waited_for():
    assert verdicts(follow([error(404)], mode="goal")) == [Verdict.REJECTED]
    assert verdicts(follow([error(404)], "profile")) == [Verdict.REJECTED]


def test_an_answer_that_cannot_be_read_is_asked_for_twice_more_under_one_request_id():
    seen = follow([Response(200, {}, b"<html>")] * 3)
    assert verdicts(seen) == [Verdict.RETRY, Verdict.RETRY, Verdict.REJECTED]
    assert len({key for key, _ in seen}) == 1  # it may have been done


def test_what_one_step_counted_is_nothing_to_the_next():
    (_, outcome), *_ = follow([Response(200, {}, b"<html>")], "profile")
    event = sample_event(carried=outcome.carry)
    seen = follow([Response(200, {}, b"<html>")] * 3, "goal", event)
    assert verdicts(seen) == [Verdict.RETRY, Verdict.RETRY, Verdict.REJECTED]


def test_the_goal_goes_to_the_profile_that_the_first_step_answered():
    (_, outcome), *_ = follow([SUCCESS], "profile")
    profile, goal = ADAPTER.build(sample_event(carried=outcome.carry), settings())
    said = json.loads(goal.body)
    assert (said["matching"], said["profile_id"]) == ("profile_id", "5f4fa1a5ce")
    assert "field_value" not in said
    assert json.loads(profile.body)["matching"] == "custom"  # it may have to be made


@pytest.mark.parametrize("strange", [None, 7, "", "a b", "x" * 65, ["5f"], '"},"x":{"'])
def test_a_strange_profile_id_is_not_used(strange: Any):
    answer = Response(200, {}, json.dumps({"error": 0, "profile_id": strange}).encode())
    (_, outcome), *_ = follow([answer], "profile")
    assert outcome.carry == {}


def test_an_answered_profile_that_is_gone_is_looked_up_again():
    event = sample_event(carried={"profile": "5f4fa1a5ce"})
    (_, outcome), *_ = follow([error(404)], event=event)
    *_, goal = ADAPTER.build(replace(event, carried=outcome.carry or {}), settings())
    assert json.loads(goal.body)["matching"] == "custom"


def test_other_failures_do_not_forget_the_answered_profile():
    event = sample_event(carried={"profile": "5f4fa1a5ce"})
    cut, replayed = Response(200, {}, b"{"), error(500, **{"duplicate-request": "true"})
    for answer in (cut, replayed, error(500), SUCCESS):
        (_, outcome), *_ = follow([answer], event=event)
        carried = event.carried if outcome.carry is None else outcome.carry
        assert carried["profile"] == "5f4fa1a5ce"


@pytest.mark.parametrize("name", ["duplicate-request", "x-duplicate-request"])
def test_both_marks_of_a_duplicate_are_known(name: str):
    assert judged(error(0, 200, **{name: "true"})).verdict is Verdict.DUPLICATE
    assert judged(error(450, 200, **{name: "true"})).verdict is Verdict.REJECTED


def test_a_replayed_failure_goes_once_under_a_new_request_id():
    replayed = error(500, 200, **{"duplicate-request": "true"})
    seen = follow([error(500), replayed, error(500), replayed])
    assert verdicts(seen) == [Verdict.RETRY] * 3 + [Verdict.REJECTED]
    first, second, third, fourth = (key for key, _ in seen)
    assert first == second != third == fourth
    assert "resend" in seen[-1][1].reason


@pytest.mark.parametrize("code", [401, 402, 403])
def test_a_replayed_refusal_of_the_account_is_asked_anew_and_ends_nothing(code: int):
    replayed = error(code, 200, **{"duplicate-request": "true"})
    seen = follow([replayed] * 9)
    assert {(one.verdict, one.stop) for _, one in seen} == {(Verdict.RETRY, False)}
    assert len({key for key, _ in seen}) == 9


def _said(code: int | None, replayed: bool) -> Response:
    marks = {"duplicate-request": "true"} if replayed else {}
    return Response(200, marks, b"<html>" if code is None else error(code).body)


@given(
    said=st.lists(
        st.tuples(st.sampled_from([None, 0, 401, 402, 404, 429, 450, 500]), st.booleans()),
        max_size=12,
    )
)
def test_a_request_id_changes_only_when_nothing_was_done_under_it(
    said: list[tuple[int | None, bool]],
):
    """Otherwise a goal could be counted twice."""
    seen = follow(_said(*one) for one in said)
    for (code, replayed), (key, outcome), (after, _) in zip(said, seen, seen[1:], strict=False):
        if outcome.verdict is Verdict.RETRY and key != after:
            assert code is not None
            assert code == 404 or replayed


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


def test_an_action_is_told_all_macros():
    said = bodies(sample_event(username=""), **ACTIONS)["trigger"]
    assert said == {
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


def test_an_action_goes_to_the_profile_that_was_answered():
    said = bodies(sample_event(carried={"profile": "5f"}), **ACTIONS)
    for step in ("trigger", "workflow"):
        assert said[step].items() >= {"matching": "profile_id", "profile_id": "5f"}.items()
        assert "field_value" not in said[step]


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
    said = bodies(sample_event(), **more, **ACTIONS)
    assert said["trigger"]["matching"] == in_trigger
    assert said["workflow"]["matching"] == in_workflow
    assert said["workflow"].get("resource_id") == resource


def test_an_action_waits_for_its_profile_as_a_goal_does():
    seen = follow([error(404)] * 4, "workflow", **ACTIONS)
    assert verdicts(seen) == [Verdict.RETRY] * 3 + [Verdict.REJECTED]


def test_the_probe_warns_of_automation_that_starts_twice():
    answer = fields("telegram_id", "tg_status")
    outcome = ADAPTER.classify_probe(answer, settings(**ACTIONS))
    assert outcome.verdict is Verdict.DELIVERED
    assert outcome.reason.endswith("starts twice at approve")


def test_settings_of_before_the_actions_work_as_they_did():
    kept = settings()
    for told in kept["events"].values():
        del told["trigger"], told["workflow"]
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
