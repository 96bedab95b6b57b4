"""Which new postbacks are sent by whoever stages them, and which wait for a claim."""

import dataclasses
import threading

import pytest

from app.database.advisory_locks import AdvisoryLock, lock
from app.extensions import db
from app.models import Account, AccountStatus, Destination, DestinationStatus, Postback
from app.models import PostbackState as State
from app.services import postbacks
from app.services.postbacks import ClaimedPostback, Lease, NewPostback
from tests.support.delivery import Clock, alter, claim_all

NEVER = 10.0**11


def stage_now(
    clock: Clock, *new: NewPostback, quota: int = 9, most: int = 9
) -> list[ClaimedPostback]:
    """Stage under the lease "mine", so many of each destination."""
    lease = Lease("mine", clock.now + 45, lambda _, most: min(quota, most), most)
    claimed, others = postbacks.stage_leased(db.session.connection(), new, clock.now, lease)
    postbacks.stage_rest(db.session.connection(), others, clock.now)
    db.session.commit()
    return claimed


def next_of(postback: NewPostback, **changes) -> NewPostback:
    return dataclasses.replace(postback, sequence=postback.sequence + 1, kind="hold", **changes)


def test_a_new_postback_is_inserted_under_the_lease_of_who_sends_it(stage, first, clock):
    (claimed,) = stage_now(clock, first)
    (row,) = stage.postbacks()
    assert (row.state, row.lease, row.lease_until) == (State.SENDING, "mine", clock.now + 45)
    assert (claimed.id, claimed.tracker, claimed.account_id) == (
        row.id, "url_template", stage.account,
    )  # fmt: skip
    assert claim_all(clock) == []


def test_it_is_the_same_as_if_it_had_been_claimed(stage, first, clock):
    (in_hand,) = stage_now(clock, first)
    alter(Postback, state=State.WAITING, lease=None, lease_until=None)
    (claimed,) = claim_all(clock)
    assert in_hand == claimed


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Destination, {"status": DestinationStatus.PAUSED}),
        (Destination, {"status": DestinationStatus.OFF}),
        (Destination, {"blocked_until": NEVER}),
        (Account, {"status": AccountStatus.BANNED}),
    ],
)
def test_for_a_destination_that_may_not_be_sent_to_it_waits(stage, first, clock, model, change):
    alter(model, **change)
    assert stage_now(clock, first) == []
    assert [row.state for row in stage.postbacks()] == [State.WAITING]


def test_no_more_is_taken_than_the_destination_and_the_process_may_hold(
    make_stage, first, stage, clock
):
    other = make_stage()
    new = [dataclasses.replace(first, lead_id=number) for number in range(1, 5)]
    new += [dataclasses.replace(row, destination_id=other.destination) for row in new]
    claimed = stage_now(clock, *new, quota=3, most=5)
    counts = [row.destination_id for row in claimed]
    assert (counts.count(stage.destination), counts.count(other.destination)) == (3, 2)
    rows = list(db.session.scalars(db.select(Postback)))
    assert sum(row.state == State.WAITING for row in rows) == 3
    assert {row.id for row in rows if row.state == State.SENDING} == {row.id for row in claimed}
    db.session.commit()


def test_rows_under_a_lease_are_reported_to_whoever_says_how_many_to_take(stage, first, clock):
    stage_now(clock, first)
    seen = []
    lease = Lease("other", clock.now + 45, lambda due, _: seen.append(due.sending) or 0, 9)
    new = dataclasses.replace(first, lead_id=2)
    staged = postbacks.stage_leased(db.session.connection(), [new], clock.now, lease)
    assert staged == ([], [new])
    db.session.commit()
    assert seen == [1]


def test_where_something_is_due_already_the_new_one_waits_behind_it(stage, first, clock):
    postbacks.stage(db.session.connection(), [first], clock.now)
    assert stage_now(clock, dataclasses.replace(first, lead_id=2)) == []
    alter(Postback, due=clock.now + 60)  # retries: new ones need not wait for them
    assert len(stage_now(clock, dataclasses.replace(first, lead_id=3))) == 1


@pytest.mark.parametrize(
    ("older", "expected"),
    [
        ({"state": State.SENDING, "lease": "other", "lease_until": NEVER}, State.WAITING),
        ({"state": State.WAITING, "due": NEVER}, State.WAITING),
        ({"state": State.WAITING, "due": NEVER, "occurrence": 1, "tries": 1}, State.WAITING),
        ({"state": State.WAITING, "due": NEVER, "tries": 1}, State.SENDING),  # superseded
        ({"state": State.DELIVERED}, State.SENDING),
        ({"state": State.FAILED}, State.SENDING),
    ],
)
def test_a_newer_status_waits_while_an_older_one_is_on_its_way(
    stage, first, clock, older, expected
):
    postbacks.stage(db.session.connection(), [first], clock.now)
    db.session.commit()
    alter(Postback, **older)
    stage_now(clock, next_of(first))
    assert stage.postbacks()[-1].state == expected


def test_of_two_statuses_at_once_only_the_first_goes_out(stage, first, clock):
    (claimed,) = stage_now(clock, first, next_of(first))
    old, new = sorted(stage.postbacks(), key=lambda row: row.sequence)
    assert (old.id, old.state, new.state) == (claimed.id, State.SENDING, State.WAITING)


def test_a_status_that_came_too_late_is_not_sent(stage, first, clock):
    assert stage_now(clock, dataclasses.replace(first, superseded=True)) == []
    assert [row.state for row in stage.postbacks()] == [State.SUPERSEDED]


def test_while_another_process_claims_new_ones_wait(live_app, stage, first, clock):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("its transactions have the database to themselves")
    holds, over = threading.Event(), threading.Event()

    def claim() -> None:
        with live_app.app_context(), db.engine.begin() as connection:
            lock(connection, AdvisoryLock.CLAIM_POSTBACKS)
            holds.set()
            over.wait(60)

    other = threading.Thread(target=claim)
    other.start()
    assert holds.wait(60)
    claimed = stage_now(clock, first)
    over.set()
    other.join()
    assert claimed == []
    assert [row.state for row in stage.postbacks()] == [State.WAITING]


def test_if_its_holder_dies_it_is_tried_again_under_the_same_key(stage, first, clock):
    stage_now(clock, first)
    clock.now += 60
    postbacks.sweep(db.session.connection(), clock.now)
    db.session.commit()
    (claimed,) = claim_all(clock)
    assert (claimed.occurrence, claimed.tries) == (0, 0)
    assert claimed.first_try is not None  # it may have arrived
