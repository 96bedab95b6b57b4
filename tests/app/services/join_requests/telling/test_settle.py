"""Whoever lost the lease writes nothing, and each decision stands in the journal once."""

import pytest

from app.domain.join_requests.rules import Verdict
from app.extensions import db
from app.models import Action, DecidedBy, DeskMode, GreetOn, RequestState
from app.outbound.telegram import BotApi
from app.sandbox.telegram import faults
from app.services.join_requests.telling import claim as claims
from app.services.join_requests.telling import settle

LEASE_SECONDS = 30.0


def claim(asking):
    with db.engine.begin() as connection:
        (claimed,) = claims.claim(connection, now=asking.now, lease_seconds=LEASE_SECONDS, most=1)
    return claimed


def test_a_process_whose_lease_ran_out_changes_nothing(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    slow = claim(asking)
    asking.now += LEASE_SECONDS + 1
    claim(asking)
    settle.record(slow, None, asking.now)
    assert asking.state(7) is RequestState.SENDING
    assert asking.decisions() == []


def test_a_join_that_is_seen_before_the_answer_is_ours(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    claimed = claim(asking)
    asking.join(7)
    settle.record(claimed, None, asking.now)
    asking.decide(2)
    assert asking.state(7) is RequestState.JOINED
    assert asking.row(7).decided_by == DecidedBy.RULE
    assert [(action, person) for action, person, _ in asking.decisions()] == [(8, 7)]


@pytest.mark.parametrize("seen", ["before the lease ends", "after the next call", "never"])
def test_an_approval_whose_process_was_killed_after_telegrams_yes_is_noted_once(make_asking, seen):
    asking = make_asking(DeskMode.ALL, greet="Welcome", greet_on=GreetOn.APPROVED)
    asking.ask(7)
    killed = claim(asking)
    BotApi(asking.bot_api.url, asking.token).call(killed.method, **killed.params)
    if seen == "before the lease ends":
        asking.listen()
    asking.now += LEASE_SECONDS + 1
    asking.decide(3)
    if seen == "after the next call":
        asking.listen()
    asking.decide(3)
    row = asking.row(7)
    assert (row.state, row.decided_by) == (RequestState.JOINED, DecidedBy.RULE)
    ((action, person, words),) = asking.decisions()
    assert (action, person) == (Action.APPROVED, 7)
    assert words.startswith("approved by the desk, ")
    assert [message.text for message in asking.greetings()] == ["Welcome"]
    settle.record(killed, None, asking.now)
    assert len(asking.decisions()) == 1


@pytest.mark.parametrize("seen", [True, False])
def test_an_approval_that_is_found_gone_is_noted_only_when_the_join_is_seen(make_asking, seen):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.bot_api.fail(asking.token, "approveChatJoinRequest", faults.RESET, 1)
    asking.decide()
    asking.bot_api.fail(asking.token, "approveChatJoinRequest", faults.REQUEST_SETTLED, 1)
    asking.decide()
    assert asking.state(7) is RequestState.GONE
    assert asking.decisions() == []
    if seen:
        asking.listen()
    asking.decide(3)
    assert asking.state(7) is (RequestState.JOINED if seen else RequestState.GONE)
    assert len(asking.decisions()) == int(seen)


def test_a_refusal_whose_process_was_killed_after_telegrams_yes_is_noted_once(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.rule(Verdict.DECLINE)
    asking.ask(7)
    killed = claim(asking)
    BotApi(asking.bot_api.url, asking.token).call(killed.method, **killed.params)
    asking.now += LEASE_SECONDS + 1
    asking.decide(3)
    ((action, person, _),) = asking.decisions()
    assert (action, person) == (Action.DECLINED, 7)


def test_who_was_let_in_is_greeted_where_that_is_wanted(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Welcome", greet_on=GreetOn.APPROVED)
    asking.ask(7)
    assert asking.decide() == 1
    (message,) = asking.greetings()
    assert (message.text, message.chat_id) == ("Welcome", 7)
