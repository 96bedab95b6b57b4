"""A campaign's rules are replaced as a whole, and tried on those who asked."""

import pytest

from app.domain.join_requests.rules import Verdict
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import Action, RequestRule
from app.schemas.rules import RulesSet
from app.services.join_requests.owner import blocklist, rule_list


def rules(*values):
    return RulesSet().load({"campaign": 1, "rules": list(values)})["rules"]


PREMIUM = {"action": "approve", "conditions": {"premium": True}}
OTHERS = {"action": "decline", "delay_from": 60, "delay_to": 90, "note": "later"}


def test_rules_are_replaced_as_a_whole_and_keep_their_hits(app, world):
    campaign = world.campaign()
    first, second = rule_list.replace_all(world.account_id, campaign, rules(PREMIUM, OTHERS))
    assert (first.position, second.position, second.note) == (1, 2, "later")
    assert (first.conditions, second.delay_to) == ({"premium": True}, 90)
    db.session.get_one(RequestRule, second.id).hits = 5
    db.session.flush()
    kept = OTHERS | {"id": second.id, "action": "hold"}
    moved, new = rule_list.replace_all(world.account_id, campaign, rules(kept, PREMIUM))
    assert (moved.id, moved.position, moved.hits, moved.action) == (second.id, 1, 5, Verdict.HOLD)
    assert new.id != first.id
    assert rule_list.listed(world.account_id, campaign) == [moved, new]
    assert rule_list.replace_all(world.account_id, campaign, []) == []


def test_a_rule_of_another_campaign_is_not_taken(app, world):
    one, two = world.campaign(), world.campaign()
    (theirs,) = rule_list.replace_all(world.account_id, one, rules(PREMIUM))
    with pytest.raises(BadParameter) as caught:
        rule_list.replace_all(world.account_id, two, rules(OTHERS, PREMIUM | {"id": theirs.id}))
    assert str(caught.value) == "rule 2: there is no such rule"


def test_another_accounts_rules_are_not_found(app, world, others_world):
    theirs = others_world.campaign()
    for call in (rule_list.listed, rule_list.try_out):
        with pytest.raises(NotFound):
            call(world.account_id, theirs)
    with pytest.raises(NotFound):
        rule_list.replace_all(world.account_id, theirs, [])


def test_a_trial_tells_what_each_would_get_and_changes_nothing(app, world):
    campaign = world.campaign()
    rich = world.request(campaign, premium=True)
    poor = world.request(campaign, bio="t.me/casino")
    rule_list.replace_all(world.account_id, campaign, rules(PREMIUM))
    found = rule_list.try_out(world.account_id, campaign)
    assert [(row.id, row.action, row.position) for row in found] == [
        (poor, Verdict.HOLD, 0), (rich, Verdict.APPROVE, 1),
    ]  # fmt: skip
    proposed = rules(
        {"action": "ask", "conditions": {"bio_has_link": True}},
        PREMIUM | {"enabled": False},
        OTHERS,
    )
    found = rule_list.try_out(world.account_id, campaign, proposed)
    assert [(row.id, row.action, row.position) for row in found] == [
        (poor, Verdict.ASK, 1), (rich, Verdict.DECLINE, 3),
    ]  # fmt: skip
    assert [row.hits for row in rule_list.listed(world.account_id, campaign)] == [0]


def test_a_trial_knows_who_is_blocked_and_who_was_declined_before(app, world):
    campaign = world.campaign()
    world.request(campaign, subscriber=7, asked=1000, state=4, decided=2000.0, chat_id=-5)
    again = world.request(campaign, subscriber=7, asked=90_000, chat_id=-5)
    blocked = world.request(campaign, subscriber=8)
    blocklist.add(world.account_id, "8")
    proposed = rules(
        {"action": "decline", "conditions": {"blocked": True}},
        {"action": "hold", "conditions": {"asked_before": 2}},
        {"action": "approve"},
    )
    found = rule_list.try_out(world.account_id, campaign, proposed)
    assert {row.id: row.position for row in found if row.id in {again, blocked}} == {
        again: 2, blocked: 1,
    }  # fmt: skip
    assert found[-1].position == 3


def test_a_trial_takes_nobody_for_a_former_member_who_joined_by_that_very_request(app, world):
    campaign = world.campaign()
    lead, former = (world.lead(campaign, subscriber=number) for number in (7, 8))
    people = {7: (lead, [1001]), 8: (former, [900, 1001]), 9: (None, [1001]), 10: (None, [900])}
    for subscriber, (lead_id, joins) in people.items():
        who = {"subscriber": subscriber, "lead_id": lead_id}
        world.request(campaign, asked=1000, **who)
        for time in joins:
            world.entry(1, -1, campaign_id=campaign, action=Action.JOIN, time=time, **who)
    proposed = rules({"action": "decline", "conditions": {"was_member": True}})
    found = rule_list.try_out(world.account_id, campaign, proposed)
    assert {row.subscriber: row.position for row in found} == {7: 0, 8: 1, 9: 0, 10: 1}
