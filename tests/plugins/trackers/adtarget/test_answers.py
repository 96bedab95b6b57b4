"""What AdTarget's answers mean, one by one."""

import json
from typing import Any

import pytest

from plugins.contract import Outcome, Response, Verdict
from plugins.trackers.adtarget import answers


def judged(status: int, body: Any) -> Outcome:
    return answers.judge(Response(status, {}, json.dumps(body).encode()))


@pytest.mark.parametrize("rule", answers.RULES, ids=lambda rule: rule.code)
def test_every_error_code_is_read_as_the_table_says(rule: Any):
    outcome = judged(rule.status, {"error": {"code": rule.code, "message": "so they say"}})
    assert (outcome.verdict, outcome.disable_destination) == (
        rule.verdict,
        rule.disable_destination,
    )
    assert outcome.reason == f"{rule.meaning}: so they say"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "conversion j97x"),
        (
            {"dispatched": False},
            "conversion j97x, accepted but not forwarded to any ad platform",
        ),
        (
            {"capiStatus": "skipped", "coldLead": True},
            (
                "conversion j97x, accepted but not forwarded to any ad platform, "
                "for a person AdTarget had not seen before"
            ),
        ),
    ],
)
def test_a_success_says_what_became_of_it(more: dict[str, Any], reason: str):
    outcome = judged(200, {"conversionId": "j97x", **more})
    assert (outcome.verdict, outcome.reason) == (Verdict.DELIVERED, reason)


@pytest.mark.parametrize("body", [None, [], {"error": "x"}, {"error": {}}])
def test_what_states_no_error_has_no_code(body: Any):
    assert answers.error(body) == ("", "")
