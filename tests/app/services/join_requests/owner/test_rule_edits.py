"""Single changes to the list of rules."""

import pytest

from app.domain.join_requests.rules import Verdict
from app.errors import NotFound, PlanLimit
from app.services.join_requests.owner import rule_edits, rule_list

RULE = {
    "conditions": {}, "action": int(Verdict.APPROVE), "otherwise": 0, "delay_from": 0,
    "delay_to": 0, "note": "", "enabled": True,
}  # fmt: skip


def notes(world, campaign):
    return [rule.note for rule in rule_list.listed(world.account_id, campaign)]


def test_a_rule_is_put_behind_all_others_or_in_the_place_of_one(app, world):
    campaign = world.campaign()
    for note in "ab":
        rule_edits.put(world.account_id, campaign, RULE | {"note": note})
    first = rule_list.listed(world.account_id, campaign)[0].id
    rule_edits.put(world.account_id, campaign, RULE | {"note": "A"}, first)
    assert notes(world, campaign) == ["A", "b"]


def test_a_rule_is_moved_and_stays_at_an_end(app, world):
    campaign = world.campaign()
    for note in "abc":
        rule_edits.put(world.account_id, campaign, RULE | {"note": note})
    last = rule_list.listed(world.account_id, campaign)[-1].id
    rule_edits.move(world.account_id, campaign, last, 1)
    assert notes(world, campaign) == ["a", "b", "c"]
    rule_edits.move(world.account_id, campaign, last, -9)
    assert notes(world, campaign) == ["c", "a", "b"]
    rule_edits.remove(world.account_id, campaign, last)
    assert notes(world, campaign) == ["a", "b"]


def test_a_rule_that_is_not_there_and_one_too_many_are_refused(app, world):
    campaign = world.campaign()
    for call in (rule_edits.move, rule_edits.remove):
        with pytest.raises(NotFound):
            call(world.account_id, campaign, 5, *([1] if call is rule_edits.move else []))
    with pytest.raises(NotFound):
        rule_edits.put(world.account_id, campaign, RULE, 5)
    with pytest.raises(PlanLimit):
        rule_edits.with_rule([RULE] * 20, RULE)
