"""Answer rules: what is refused, and what the accepted ones read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugins.contract import Outcome, Response, Verdict
from plugins.kit import answer_rules


def classify(rules: list[dict[str, Any]], status: int, body: str = "") -> Outcome | None:
    answer = Response(status, {"retry-after": "90"}, body.encode())
    return answer_rules.classify(answer, answer_rules.check_rules(rules))


def test_the_first_rule_that_fits_decides():
    rules = [
        {"contains": "gone", "outcome": "unknown_click"},
        {"status": "2xx", "outcome": "duplicate"},
    ]
    for body, verdict in (("It is GONE", Verdict.REJECTED), ("ok", Verdict.DUPLICATE)):
        outcome = classify(rules, 200, body)
        assert outcome is not None
        assert outcome.verdict is verdict
    assert classify(rules, 404, "ok") is None


def test_all_conditions_of_a_rule_must_hold():
    rules = [{"status": [200, "4xx"], "contains": "no", "json": "a.b", "outcome": "refused"}]
    assert classify(rules, 404, '{"a": {"b": "no"}}') is not None
    assert classify(rules, 500, '{"a": {"b": "no"}}') is None
    assert classify(rules, 404, '{"a": {"b": 0}, "c": "no"}') is None
    assert classify(rules, 404, '{"a": {"b": "yes"}}') is None


def test_an_answer_may_have_to_begin_with_a_word():
    rules = [{"begins": ["taken", "done"], "outcome": "delivered"}]
    assert classify(rules, 200, " Taken: 5") is not None
    assert classify(rules, 200, "DONE") is not None
    assert classify(rules, 200, "not taken") is None


def test_a_page_is_a_success_only_by_its_markup():
    page = "<b>Thank you, a duplicate</b>"
    for rule, is_read in (
        ({"contains": "thank you", "outcome": "delivered"}, False),
        ({"contains": "duplicate", "outcome": "duplicate"}, False),
        ({"status": 200, "outcome": "delivered"}, False),
        ({"empty": False, "outcome": "delivered"}, False),
        ({"begins": "<b>thank", "outcome": "delivered"}, True),
        ({"contains": "duplicate", "outcome": "refused"}, True),
    ):
        assert (classify([rule], 200, page) is not None) is is_read


def test_a_value_equals_only_one_of_its_own_type():
    rules = [{"json": "code", "equals": [1, "x"], "outcome": "refused"}]
    assert classify(rules, 200, '{"code": 1}') is not None
    assert classify(rules, 200, '{"code": "x"}') is not None
    assert classify(rules, 200, '{"code": true}') is None
    assert classify(rules, 200, '{"code": "1"}') is None


def test_a_failure_in_a_list_is_one_and_a_success_is_that_of_all():
    rules = [
        {"json": "ok", "equals": True, "outcome": "delivered"},
        {"json": "ok", "equals": False, "outcome": "refused"},
    ]
    for body, verdict in (
        ('[{"ok":true},{"ok":true}]', Verdict.DELIVERED),
        ('[{"ok":true},{"ok":false}]', Verdict.REJECTED),
        ('{"ok":true}\n{"ok":false}', Verdict.REJECTED),
    ):
        outcome = classify(rules, 200, body)
        assert outcome is not None
        assert outcome.verdict is verdict
    assert classify(rules, 200, "[]") is None


@pytest.mark.parametrize("status", [408, 425, 429, 503])
def test_only_a_rule_with_a_status_overrules_a_wish_for_another_try(status: int):
    assert classify([{"contains": "no", "outcome": "refused"}], status, "no") is None
    outcome = classify([{"status": status, "outcome": "refused"}], status)
    assert outcome is not None
    assert outcome.verdict is Verdict.REJECTED


def test_a_rule_may_bring_its_own_reason_and_keep_the_destination_on():
    rule = {"status": 401, "outcome": "bad_key", "reason": "no", "disable_destination": False}
    assert classify([rule], 401) == Outcome(Verdict.RETRY, "no")
    del rule["reason"], rule["disable_destination"]
    outcome = classify([rule], 401)
    assert outcome is not None
    assert outcome.reason == answer_rules.OUTCOMES["bad_key"].reason
    assert outcome.disable_destination


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("Click ID not found", Verdict.REJECTED),
        ("wrong token", Verdict.RETRY),
        ("already registered", Verdict.DUPLICATE),
    ],
)
def test_a_name_stands_for_what_many_trackers_answer(body: str, verdict: Verdict):
    rules = answer_rules.check_rules(list(answer_rules.COMMON_RULES))
    assert all(isinstance(rule, dict) for rule in rules)
    outcome = answer_rules.classify(Response(200, {}, body.encode()), rules)
    assert outcome is not None
    assert outcome.verdict is verdict


def test_the_wait_that_the_tracker_asks_for_is_kept():
    outcome = classify([{"status": 429, "outcome": "later"}], 429)
    assert outcome is not None
    assert outcome.retry_after == 90


@pytest.mark.parametrize(
    "rules",
    [
        [],
        "nobody",
        7,
        [{}],
        ["nobody"],
        [{"outcome": "delivered"}],
        [{"status": 200, "outcome": "maybe"}],
        [{"status": 99, "outcome": "refused"}],
        [{"status": "6xx", "outcome": "refused"}],
        [{"status": True, "outcome": "refused"}],
        [{"status": [], "outcome": "refused"}],
        [{"contains": "", "outcome": "refused"}],
        [{"contains": [], "outcome": "refused"}],
        [{"contains": 5, "outcome": "refused"}],
        [{"begins": "", "outcome": "refused"}],
        [{"begins": [], "outcome": "refused"}],
        [{"begins": 5, "outcome": "refused"}],
        [{"equals": 1, "status": 200, "outcome": "refused"}],
        [{"json": "a", "equals": [], "outcome": "refused"}],
        [{"json": "a", "equals": {}, "outcome": "refused"}],
        [{"json": ["a"], "outcome": "refused"}],
        [{"status": 200, "outcome": "refused", "reason": ""}],
        [{"status": 200, "outcome": "refused", "disable_destination": "yes"}],
        [{"status": 200, "outcome": "refused", "surprise": 1}],
        [{"status": 200, "outcome": "refused"}] * 33,
    ],
    ids=str,
)
def test_a_wrong_rule_is_refused(rules: object):
    with pytest.raises(ValidationError):
        answer_rules.check_rules(rules)


_SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
_RULE = st.fixed_dictionaries(
    {"outcome": st.sampled_from(sorted(answer_rules.OUTCOMES))},
    optional={
        "status": _JSON,
        "contains": _JSON,
        "json": _JSON,
        "equals": _JSON,
        "reason": _JSON,
        "disable_destination": _JSON,
    },
)


@given(_RULE, st.integers(100, 599), _JSON | st.binary(max_size=30))
def test_whatever_rule_is_accepted_reads_whatever_answer(rule: Any, status: int, body: Any):
    try:
        rules = answer_rules.check_rules([rule])
    except ValidationError:
        return
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    outcome = answer_rules.classify(Response(status, {}, raw), rules)
    assert outcome is None or outcome.verdict is answer_rules.OUTCOMES[rule["outcome"]].verdict


@pytest.mark.parametrize("name", ["status", "contains", "equals"])
def test_all_rules_together_hold_only_so_many_values(name):
    def rules(count: int) -> list[dict[str, Any]]:
        rule = {"json": "code", "outcome": "refused", name: [200] * count}
        if name == "contains":
            rule[name] = ["x" * answer_rules.MAX_TEXT] * count
        return [rule, {**rule, name: rule[name][:1]}]

    assert answer_rules.check_rules(rules(answer_rules.MAX_VALUES - 1))
    with pytest.raises(ValidationError, match="together"):
        answer_rules.check_rules(rules(answer_rules.MAX_VALUES))
