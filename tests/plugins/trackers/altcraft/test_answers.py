"""What Altcraft's answers mean, each by itself."""

import json
from typing import Any

import pytest

from plugins.contract import Response, Verdict
from plugins.trackers.altcraft import answers
from plugins.trackers.altcraft.answers import RULES
from tests.support.altcraft import error, follow, judged


@pytest.mark.parametrize("code", RULES)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_number_in_the_body_goes_before_the_status(code: int, status: int):
    rule = RULES[code]
    outcome = judged(error(code, status), "goal", mode="goal")
    assert (outcome.verdict, outcome.disable_destination) == (
        rule.verdict,
        rule.disable_destination,
    )


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
    assert (outcome.verdict, outcome.disable_destination) == (verdict, False)


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"<html>", Verdict.RETRY),
        (200, b"", Verdict.RETRY),
        (200, b'{"error": 0, "prof', Verdict.RETRY),
        (200, b'{"error": "strange"}', Verdict.RETRY),
        (200, b'{"error": true}', Verdict.RETRY),
        (200, b'{"profile_id": "5f"}', Verdict.RETRY),
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
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, True)


def test_a_profile_that_exists_already_is_as_good():
    assert judged(error(409)).verdict is Verdict.DUPLICATE
    assert judged(error(409), "goal").verdict is Verdict.REJECTED


@pytest.mark.parametrize("strange", [None, 7, "", "a b", "x" * 65, ["5f"], '"},"x":{"'])
def test_a_strange_profile_id_is_not_used(strange: Any):
    answer = Response(200, {}, json.dumps({"error": 0, "profile_id": strange}).encode())
    (_, outcome), *_ = follow([answer], "profile")
    assert outcome.state == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error": 404}', 404), (b'{"error": "404"}', 404), (b'{"error": 404.0}', 404),
        (b'{"error": true}', None), (b'{"error": 1.5}', None), (b'{"error": "x"}', None),
        (b"[]", None), (b"<html>", None),
    ],
)  # fmt: skip
def test_the_number_is_read_however_it_is_spelled(body: bytes, code: int | None):
    assert answers.error_code(Response(200, {}, body)) == code


def test_only_a_success_without_a_number_is_unreadable():
    assert answers.is_unreadable(Response(200, {}, b"<html>"), "goal")
    assert not answers.is_unreadable(Response(502, {}, b"<html>"), "goal")
    assert not answers.is_unreadable(Response(200, {}, b'{"id": 5}'), "goal")


@pytest.mark.parametrize("body", [b"{}", b'{"status":0}', b'{"profile_id":"5f"}'])
def test_a_written_profile_is_said_with_a_number(body: bytes):
    assert answers.judge(Response(200, {}, body), "profile").verdict is Verdict.RETRY
    assert answers.judge(Response(200, {}, body), "goal").verdict is Verdict.DELIVERED


@pytest.mark.parametrize("body", [b'{"status":"error"}', b'{"success":false}', b'{"ok":false}'])
def test_an_object_that_speaks_of_a_failure_in_other_words_is_unreadable(body: bytes):
    assert answers.is_unreadable(Response(200, {}, body), "goal")
    assert answers.judge(Response(200, {}, body), "goal").verdict is Verdict.RETRY
