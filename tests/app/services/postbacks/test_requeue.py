"""Postbacks that wait again, and those that never will."""

import pytest

from app.extensions import db
from app.models import Destination, DestinationStatus, Lead, Postback, PostbackState
from app.sandbox.telegram import people
from app.services import pending_work, postbacks
from tests.support.delivery import Clock, Exchange, T, alter, claim_all

ANN = people.Person(101, username="ann")
BOB = people.Person(102)


def test_an_expired_lease_waits_again_and_may_have_arrived(stage, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    claim_all(clock, seconds=45)
    until = stage.postbacks()[0].lease_until
    assert sweep(until - 1) == 0
    assert sweep(until + 1) == 1
    (row,) = stage.postbacks()
    assert (row.state, row.lease, row.tries) == (PostbackState.WAITING, None, 0)
    assert row.first_try == until


@pytest.mark.parametrize("status", [DestinationStatus.PAUSED, DestinationStatus.OFF])
def test_a_switched_off_destination_keeps_its_postbacks_for_a_week(stage, clock, status):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    created = stage.postbacks()[0].created
    alter(Destination, status=status)
    assert sweep(created + 7 * 86_400 - 60) == 0
    assert sweep(created + 7 * 86_400 + 60) == 1
    assert stage.postbacks()[0].state == PostbackState.DISCARDED


def test_work_is_due_only_when_a_claim_would_take_it(stage, clock):
    assert not is_due(clock)
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    assert is_due(clock)
    alter(Destination, blocked_until=clock.now + 60)
    assert not is_due(clock)
    alter(Destination, blocked_until=0.0, status=DestinationStatus.PAUSED)
    assert not is_due(clock)
    alter(Destination, status=DestinationStatus.ACTIVE)
    alter(Postback, due=clock.now + 60)
    assert not is_due(clock)


def test_a_person_who_was_erased_is_not_reported_again(stage, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    alter(Postback, state=PostbackState.DELIVERED)
    (row,) = stage.postbacks()
    alter(Lead, subscriber=-1)
    assert postbacks.resend(stage.account, [row.id], clock.now) == 0


def sweep(now: float) -> int:
    count = postbacks.sweep(db.session.connection(), now)
    db.session.commit()
    return count


def is_due(clock: Clock) -> bool:
    due = pending_work.look(clock.now).postbacks
    db.session.commit()
    return due


def test_a_resend_touches_no_foreign_and_no_unfinished_row(make_stage, clock):
    mine, theirs = make_stage(), make_stage()
    for stage in (mine, theirs):
        stage.play(people.start(ANN, f"{stage.code}-a", T))
    alter(Postback, state=PostbackState.FAILED)
    (foreign,) = theirs.postbacks()
    assert postbacks.resend(mine.account, [foreign.id], clock.now) == 0
    alter(Postback, state=PostbackState.WAITING)
    (own,) = mine.postbacks()
    assert postbacks.resend(mine.account, [own.id], clock.now) == 0


def test_a_deleted_destinations_postbacks_are_discarded(stage, deliver, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    alter(Destination, status=DestinationStatus.DELETED)
    exchange = Exchange()
    deliver(exchange)
    postbacks.sweep(db.session.connection(), clock.now)
    db.session.commit()
    assert exchange.sent == []
    assert stage.postbacks()[0].state == PostbackState.DISCARDED
