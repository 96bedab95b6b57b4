"""Whoever lost the lease writes nothing; an approval that was seen first is noted all the same."""

from __future__ import annotations

from app.extensions import db
from app.models import DeskMode, GreetOn, RequestState
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
    assert asking.state(7) is RequestState.JOINED
    assert [(action, person) for action, person, _ in asking.decisions()] == [(8, 7)]


def test_who_was_let_in_is_greeted_where_that_is_wanted(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Welcome", greet_on=GreetOn.APPROVED)
    asking.ask(7)
    assert asking.decide() == 1
    (message,) = asking.greetings()
    assert (message.text, message.chat_id) == ("Welcome", 7)
