"""What was settled: attempts, new states and the health of destinations."""

import threading

import pytest
from sqlalchemy import update

from app.extensions import db
from app.models import Destination, DestinationStatus, Postback, PostbackState
from app.sandbox.telegram import people
from app.services import postbacks
from app.services.postbacks import AttemptRow, Batch
from plugins.contract import Response
from tests.support.delivery import Clock, Exchange, T, alter, attempts, claim_all

ANN = people.Person(101, username="ann")
BOB = people.Person(102)


@pytest.fixture
def claimed(stage, clock):
    """Two postbacks under the lease "mine"."""
    stage.play(people.start(ANN, f"{stage.code}-a", T), people.start(BOB, f"{stage.code}-b", T))
    return claim_all(clock, lease="mine")


def settle(clock: Clock, lease: str, batch: Batch) -> None:
    postbacks.settle(db.session.connection(), lease, batch, clock.now)
    db.session.commit()


def attempt_at(number: int) -> AttemptRow:
    return AttemptRow(
        postback_id=number, occurrence=0, number=1, started=1.0, request="GET https://t.example/",
        answer="hi ann", verdict="delivered", reason="HTTP 200", next_try=None,
    )  # fmt: skip


def test_updates_are_written_under_the_lease_and_end_it(stage, claimed, clock):
    first, second = claimed
    batch = Batch(
        updates=[
            first.finish(PostbackState.DELIVERED, "HTTP 200", now=clock.now),
            second.defer("HTTP 500", due=clock.now + 60),
        ],
        attempts=[attempt_at(first.id)],
    )
    assert len(batch) == 2
    settle(clock, "mine", batch)
    rows = stage.postbacks()
    assert [row.state for row in rows] == [PostbackState.DELIVERED, PostbackState.WAITING]
    assert {(row.lease, row.lease_until) for row in rows} == {(None, None)}
    assert [row.postback_id for row in attempts()] == [first.id]


def test_a_lost_lease_records_the_attempt_and_moves_nothing(stage, claimed, clock):
    first, _ = claimed
    batch = Batch(
        updates=[first.finish(PostbackState.DELIVERED, "", now=clock.now)],
        attempts=[attempt_at(first.id)],
        released=[postback.id for postback in claimed],
    )
    settle(clock, "another", batch)
    assert {row.state for row in stage.postbacks()} == {PostbackState.SENDING}
    assert len(attempts()) == 1


def test_released_postbacks_wait_as_before(stage, claimed, clock):
    before = [(row.due, row.tries) for row in stage.postbacks()]
    settle(clock, "mine", Batch(released=[postback.id for postback in claimed]))
    rows = stage.postbacks()
    assert {(row.state, row.lease) for row in rows} == {(PostbackState.WAITING, None)}
    assert [(row.due, row.tries) for row in rows] == before


def test_no_attempt_is_kept_of_a_person_who_was_erased_meanwhile(stage, claimed, clock):
    first, second = claimed
    db.session.execute(
        update(Postback)
        .where(Postback.id == first.id)
        .values(state=PostbackState.DISCARDED, reason=postbacks.ERASED, lease=None)
    )
    db.session.commit()
    updates = [row.finish(PostbackState.DELIVERED, "", now=clock.now) for row in claimed]
    rows = [attempt_at(first.id), attempt_at(second.id)]
    settle(clock, "mine", Batch(updates=updates, attempts=rows))
    erased, other = attempts()
    assert (erased.request, erased.answer) == (postbacks.ERASED, "")
    assert other.answer == "hi ann"


def test_a_destination_that_is_blocked_is_not_asked_before(stage, clock):
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    for until in (clock.now + 60, clock.now + 30):  # the longer one stays
        postbacks.block(db.session.connection(), stage.destination, until)
        db.session.commit()
    assert claim_all(clock) == []
    clock.now += 59
    assert claim_all(clock) == []
    clock.now += 2
    assert len(claim_all(clock)) == 1


def test_workers_that_note_the_same_destinations_never_wait_for_each_other(live_app, make_stage):
    one, two = make_stage().destination, make_stage().destination
    alter(Destination, failures=3)
    faults: list[Exception] = []
    together = threading.Barrier(2)

    def work(well: int, ill: int) -> None:
        with live_app.app_context():
            for _ in range(100):
                batch = Batch()
                batch.note(well, healthy=True)
                batch.note(ill, healthy=False)
                together.wait()
                with db.engine.begin() as connection:
                    postbacks.settle(connection, "lease", batch, 1.0)

    def notice(*who: int) -> None:
        try:
            work(*who)
        except Exception as fault:  # noqa: BLE001  # whatever it is, the test shows it
            faults.append(fault)
            together.abort()

    threads = [threading.Thread(target=notice, args=who) for who in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_settings_mended_while_the_old_ones_were_refused_stay_switched_on(stage, deliver):
    stage.play(people.start(ANN, f"{stage.code}-a", T))

    def mended_meanwhile(_request):
        alter(Destination, settings=db.session.get(Destination, stage.destination).settings + " ")
        return Response(410)

    deliver(Exchange(mended_meanwhile))
    assert db.session.get(Destination, stage.destination).status == DestinationStatus.ACTIVE
    db.session.commit()


def test_gone_switches_the_destination_off(stage, deliver):
    stage.play(people.start(ANN, f"{stage.code}-a", T), people.start(BOB, f"{stage.code}-b", T))
    deliver(Exchange(Response(410)))
    row = db.session.get(Destination, stage.destination)
    assert row.status == DestinationStatus.OFF
    assert "410" in row.reason
    db.session.commit()
