"""The delivery log: what was sent where, and sending it again."""

import pytest

from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import Attempt, Postback, PostbackState
from app.sandbox.telegram import people
from app.services.postbacks import log
from tests.support.delivery import T, alter

ANN = people.Person(101, username="ann")
BOB = people.Person(102)


@pytest.fixture
def two(stage):
    """The postbacks of two leads, one delivered and one waiting."""
    stage.play(people.start(ANN, f"{stage.code}-a", T), people.start(BOB, f"{stage.code}-b", T))
    first, second = stage.postbacks()
    db.session.get(Postback, first.id).state = PostbackState.DELIVERED
    db.session.commit()
    return first, second


def ids(account: int, **filters) -> list[int]:
    found = [row.id for row in log.listed(account, **filters).rows]
    db.session.commit()
    return found


def test_postbacks_are_listed_newest_first_and_by_filter(stage, two):
    first, second = two
    assert ids(stage.account) == [second.id, first.id]
    assert ids(stage.account, state=PostbackState.DELIVERED) == [first.id]
    assert ids(stage.account, lead=second.lead_id) == [second.id]
    assert ids(stage.account, dest=stage.destination, event="hold") == []


def test_nobody_sees_postbacks_of_another_account(make_stage, stage, two):
    other = make_stage()
    assert ids(other.account) == []
    with pytest.raises(NotFound):
        log.explained(other.account, two[0].id)
    with pytest.raises(NotFound):
        log.listed(other.account, dest=stage.destination)


def test_a_postback_is_explained_by_its_last_attempts_oldest_first(stage, two):
    first, _ = two
    db.session.add_all(
        Attempt(
            postback_id=first.id, occurrence=0, number=number, step="", started=float(number),
            ms=1, request="", status=500, answer="", verdict="retry", reason="", next_try=None,
            key="k",
        )
        for number in range(log.ATTEMPTS + 2)
    )  # fmt: skip
    db.session.commit()
    numbers = [attempt.number for attempt in log.explained(stage.account, first.id).attempts]
    db.session.commit()
    assert numbers == list(range(2, log.ATTEMPTS + 2))


def test_only_what_has_ended_is_sent_again(stage, two):
    first, second = two
    assert log.resend(stage.account, first.id) == 1
    assert log.resend(stage.account, second.id) == 0
    assert [row.occurrence for row in stage.postbacks()] == [1, 0]


def test_many_are_sent_again_by_a_filter_and_never_without_one(stage, two):
    assert log.resend(stage.account, dest=stage.destination) == 1
    with pytest.raises(BadParameter):
        log.resend(stage.account)


def test_an_operator_sends_what_failed_again_for_every_account(make_stage):
    stages = [make_stage(), make_stage()]
    for stage in stages:
        stage.play(people.start(ANN, f"{stage.code}-a", T))
    alter(Postback, state=PostbackState.FAILED)
    assert log.retry(PostbackState.REJECTED) == 0
    assert log.retry(PostbackState.FAILED, stages[0].destination) == 1
    assert log.retry(PostbackState.FAILED) == 1


def test_states_are_counted_by_all_other_filters(stage, two):
    delivered, waiting = PostbackState.DELIVERED, PostbackState.WAITING
    counts = log.counts(stage.account, dest=stage.destination)
    assert {state: counts[state] for state in (delivered, waiting)} == {delivered: 1, waiting: 1}
    assert counts[PostbackState.FAILED] == 0
    assert log.counts(stage.account, lead=two[0].lead_id) == {delivered: 1}
    assert not log.counts(stage.account, since=10, until=5)


def test_how_many_have_failed_is_told_with_the_newest(stage, two):
    assert log.failed(stage.account, 0) == (0, None)
    alter(Postback, state=PostbackState.FAILED)
    assert log.failed(stage.account, 0) == (2, max(row.created for row in two))
    assert log.failed(stage.account, int(T) + 10**6) == (0, None)


def test_since_when_the_oldest_is_due_is_told(world, account):
    dest = world.destination()
    assert log.oldest_due(account.id, 1000.0) is None
    for due, state in ((900.0, 0), (500.0, 2), (700.0, 0), (2000.0, 0)):
        world.postback(dest, due=due, state=state)
    assert log.oldest_due(account.id, 1000.0) == 700.0
    assert log.oldest_due(account.id, 600.0) is None
