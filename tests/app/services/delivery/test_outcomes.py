"""Outcomes gathered for one commit: when to settle, and what is worth recording."""

import dataclasses

import pytest

from app.extensions import db
from app.models import Destination, PostbackState
from app.services import postbacks
from app.services.delivery.outcomes import SETTLE_AFTER, SETTLE_AT, Outcomes
from app.services.postbacks import ClaimedPostback
from plugins.contract import Outcome, Verdict
from tests.support.delivery import make_claimed

GOOD = Outcome(Verdict.DELIVERED)
BAD = Outcome(Verdict.RETRY, "HTTP 500")


class Still:
    """A clock that stands."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Still:
    return Still()


@pytest.fixture
def outcomes(clock) -> Outcomes:
    return Outcomes(clock)


def finish(outcomes: Outcomes, number: int = 1) -> None:
    outcomes.add(make_claimed(number).finish(PostbackState.DELIVERED, "", now=1000.0))


def test_nothing_is_never_ripe(outcomes):
    assert not outcomes.are_ripe(2000.0, idle=True)


def test_an_outcome_waits_a_little_for_others(outcomes, clock):
    finish(outcomes)
    assert not outcomes.are_ripe(clock.now + SETTLE_AFTER / 2, idle=False)
    clock.now += SETTLE_AFTER * 1.5
    finish(outcomes, 2)  # does not make the first one wait longer
    assert outcomes.are_ripe(clock.now, idle=False)


def test_an_outcome_waits_no_longer_because_the_clock_was_set_back(outcomes, clock):
    finish(outcomes)
    assert outcomes.are_ripe(clock.now - 3600.0, idle=False)


def test_an_outcome_waits_for_nobody_when_nothing_is_in_flight(outcomes, clock):
    finish(outcomes)
    assert outcomes.are_ripe(clock.now, idle=True)


def test_many_outcomes_are_worth_a_commit(outcomes, clock):
    for number in range(SETTLE_AT - 1):
        finish(outcomes, number)
    assert not outcomes.are_ripe(clock.now, idle=False)
    outcomes.release([make_claimed(SETTLE_AT)])
    assert outcomes.are_ripe(clock.now, idle=False)


def test_released_postbacks_are_not_counted_as_settled(outcomes):
    finish(outcomes)
    outcomes.release([make_claimed(2), make_claimed(3)])
    assert len(outcomes) == 3
    outcomes.take()
    outcomes.confirm()
    assert (outcomes.count, len(outcomes)) == (1, 0)


@pytest.fixture
def healthy(stage) -> ClaimedPostback:
    """A claimed postback of a destination without failures."""
    return dataclasses.replace(make_claimed(1), destination_id=stage.destination)


@pytest.fixture
def failures_after(live_app, outcomes, clock):
    """`failures_after()`: the destination's failures once all is settled."""

    def settle(destination: int) -> int:
        finish(outcomes)
        postbacks.settle(db.session.connection(), "lease", outcomes.take(), clock.now)
        db.session.commit()
        outcomes.confirm()
        row = db.session.get(Destination, destination, populate_existing=True)
        failures = row.failures
        db.session.commit()
        return failures

    return settle


def note(outcomes: Outcomes, claimed: ClaimedPostback, *results: Outcome) -> int:
    for result in results:
        outcomes.note_health(claimed, result)
    return claimed.destination_id


def test_failures_are_counted_until_a_success_within_the_same_drain(
    outcomes, healthy, failures_after
):
    assert failures_after(note(outcomes, healthy, BAD, BAD)) == 2
    assert failures_after(note(outcomes, healthy, GOOD)) == 0


def test_a_success_is_recorded_if_the_destination_had_failures_when_claimed(
    outcomes, healthy, failures_after
):
    note(outcomes, healthy, BAD)
    assert failures_after(healthy.destination_id) == 1
    fresh = Outcomes(lambda: 1000.0)
    troubled = dataclasses.replace(healthy, failures=1)
    note(fresh, troubled, GOOD)
    finish(fresh)
    postbacks.settle(db.session.connection(), "lease", fresh.take(), 1000.0)
    db.session.commit()
    assert failures_after(healthy.destination_id) == 0


def test_a_success_without_failures_before_touches_no_destination(
    outcomes, healthy, failures_after
):
    row = db.session.get(Destination, healthy.destination_id)
    row.failures = 3  # of another worker, noted after our claim
    db.session.commit()
    assert failures_after(note(outcomes, healthy, GOOD)) == 3


def test_a_build_that_failed_counts_as_a_failure(outcomes, healthy, failures_after):
    outcomes.note_failure(healthy)
    assert failures_after(healthy.destination_id) == 1


def test_what_is_taken_for_a_commit_is_counted_when_that_is_done(outcomes):
    finish(outcomes)
    taken = outcomes.take()
    finish(outcomes, 2)
    assert (len(taken), len(outcomes), outcomes.count) == (1, 1, 0)
    outcomes.confirm()
    assert (len(outcomes), outcomes.count) == (1, 1)


def test_health_that_came_without_an_outcome_is_settled_with_the_next_one(outcomes):
    """Of a postback with several steps; claims are committed meanwhile."""
    outcomes.note_health(dataclasses.replace(make_claimed(1), failures=3), GOOD)
    assert not outcomes.take()
    outcomes.confirm()
    finish(outcomes)
    assert [health.succeeded for health in outcomes.take().health.values()] == [1]


def test_what_a_failed_commit_took_comes_before_what_came_meanwhile(outcomes):
    finish(outcomes)
    outcomes.note_health(make_claimed(1), BAD)
    outcomes.take()
    finish(outcomes, 2)
    outcomes.note_health(make_claimed(2), BAD)
    outcomes.put_back()
    again = outcomes.take()
    assert [update.id for update in again.updates] == [1, 2]
    assert again.health[1].failed == 2
    assert outcomes.count == 0


def test_what_was_written_along_is_forgotten_once_that_is_committed(stage, outcomes, clock):
    finish(outcomes)
    outcomes.settle_along(db.session.connection(), "lease", clock.now)
    assert outcomes.are_along
    db.session.commit()
    outcomes.confirm_along()
    assert (len(outcomes), outcomes.count, outcomes.are_along) == (0, 1, False)


def test_what_was_written_along_and_rolled_back_goes_along_with_nothing_more(
    stage, outcomes, clock
):
    finish(outcomes)
    for _ in range(2):
        outcomes.settle_along(db.session.connection(), "lease", clock.now)
        db.session.rollback()
    assert not outcomes.are_along
    outcomes.confirm_along()
    assert len(outcomes) == 1
    outcomes.take()
    outcomes.confirm()
    finish(outcomes, 2)
    outcomes.settle_along(db.session.connection(), "lease", clock.now)
    db.session.rollback()
    assert outcomes.are_along
