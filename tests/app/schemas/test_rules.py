"""What rules/set takes: each rule is checked by its number."""

import json

import pytest
from marshmallow import ValidationError

from app.domain.join_requests.rules import Verdict
from app.schemas.rules import RuleOut, RulesSet

ALL = {
    "conditions": {"share": 30}, "action": "ask", "otherwise": "decline", "delay_from": 5,
    "delay_to": 600, "note": "n", "enabled": False, "id": 7,
}  # fmt: skip


def load(*rules):
    return RulesSet().load({"campaign": 1, "rules": list(rules)})["rules"]


def test_a_rule_has_every_field_whatever_is_left_out():
    assert load(ALL) == [ALL | {"action": Verdict.ASK, "otherwise": Verdict.DECLINE}]
    assert load({"action": "approve"}) == [
        {
            "conditions": {}, "action": Verdict.APPROVE, "otherwise": Verdict.HOLD,
            "delay_from": 0, "delay_to": 0, "note": "", "enabled": True, "id": None,
        }
    ]  # fmt: skip


def test_a_form_carries_rules_as_text():
    text = json.dumps([ALL])
    assert RulesSet().load({"campaign": "1", "rules": text})["rules"] == load(ALL)


def test_a_delay_of_one_end_is_that_delay():
    (rule,) = load({"action": "approve", "delay_from": 300})
    assert (rule["delay_from"], rule["delay_to"]) == (300, 300)


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (5, "must be an object"),
        ({}, "has no action"),
        ({"action": "kick"}, "must be one of hold, approve, decline, ask"),
        ({"action": "approve", "conditions": []}, "must be an object"),
        ({"action": "approve", "conditions": {"share": 0}}, "share: must be from 1 to 100"),
        ({"action": "approve", "delay_to": 90_000}, "must be from 0 to 86400"),
        ({"action": "approve", "note": "x" * 201}, "is longer than 200 characters"),
        ({"action": "ask", "otherwise": "ask"}, "after a question there is no other"),
    ],
)
def test_a_wrong_rule_is_named_by_its_number(rule, fault):
    with pytest.raises(ValidationError) as caught:
        load({"action": "approve"}, rule)
    assert caught.value.messages_dict == {"rules": [f"rule 2: {fault}"]}


def test_more_than_twenty_rules_are_refused():
    assert len(load(*[{"action": "hold"}] * 20)) == 20
    with pytest.raises(ValidationError):
        load(*[{"action": "hold"}] * 21)


def test_actions_are_shown_as_words():
    shown = RuleOut().dump({"action": 3, "otherwise": 0, "conditions": {"share": 5}})
    assert shown == {"action": "ask", "otherwise": "hold", "conditions": {"share": 5}}
