"""A message that is said with a decision: to whom, before the decision, and not to too many."""

import pytest

from app.domain.join_requests.rules import Verdict
from app.errors import BadParameter
from app.extensions import db
from app.models import DeskMode, RequestState
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.services.join_requests.owner import decisions


def decide(asking, decision=Verdict.DECLINE, **also):
    return decisions.decide(asking.stage.account, decision, asking.now, state=0, **also)


def test_the_message_arrives_before_the_decision_and_says_who_it_is_for(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.ask(Person(7, username="ann_lee"))
    assert decide(asking, message="Sorry, {username}").messages == 1
    assert asking.decide() == 0
    asking.greet()
    assert asking.decide() == 1
    (sent,) = asking.bot_api.sent(asking.token)
    assert (sent.chat_id, sent.text) == (7, "Sorry, ann_lee")
    assert asking.state(7) is RequestState.DECLINED


def test_after_the_five_minutes_only_who_has_started_the_bot_is_written_to(make_asking):
    asking = make_asking(DeskMode.RULES)
    for person in (7, 8, 9):
        if person != 7:
            asking.tell(people.start(Person(person), asking.stage.code, int(asking.now)))
        asking.ask(person)
    asking.ask(10)
    asking.tell(people.start(Person(10), asking.stage.code, int(asking.now)))
    asking.tell(people.bot_blocked(Person(9), int(asking.now)))
    asking.now += 400
    assert decide(asking, message="Welcome").messages == 2
    assert [message.chat_id for message in asking.greetings()] == [8, 10]


def test_who_is_not_written_to_is_decided_all_the_same(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.ask(7)
    asking.now += 400
    made = decide(asking, message="Sorry")
    assert (made.count, made.messages) == (1, 0)
    assert asking.decide() == 1


def test_too_many_are_refused_and_nobody_is_decided(make_asking, monkeypatch):
    asking = make_asking(DeskMode.RULES)
    for person in (7, 8):
        asking.ask(person)
    monkeypatch.setattr(decisions, "MOST_IDS", 1)
    with pytest.raises(BadParameter):
        decide(asking, message="Sorry")
    db.session.rollback()
    assert asking.greetings() == []
    assert {row.state for row in asking.rows()} == {RequestState.WAITING}
