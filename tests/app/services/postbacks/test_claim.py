"""What a claim takes: due, in order per lead, fair over destinations."""

from collections import Counter

import pytest
from sqlalchemy import event, update

from app.extensions import db
from app.models import Destination, DestinationStatus, Postback, PostbackState
from app.sandbox.telegram import people
from app.services import postbacks
from app.services.postbacks import in_hand
from app.services.postbacks.claim import ClaimResult
from tests.support.delivery import Clock, T, alter, claim_all

ANN = people.Person(101, username="ann")


def start_many(stage, count: int) -> None:
    for number in range(count):
        stage.play(people.start(people.Person(1000 + number), f"{stage.code}-a", T))


def claim(clock: Clock, *, room: int = 4, most: int = 1000, after: int = 0) -> ClaimResult:
    result = postbacks.claim(
        db.session.connection(), now=clock.now, lease="mine", until=clock.now + 45,
        after=after, quota_for=lambda _, most: min(room, most), most=most,
    )  # fmt: skip
    db.session.commit()
    return result


def test_a_claim_leases_the_oldest_rows_of_each_destination(make_stage, clock):
    stages = [make_stage(), make_stage()]
    for stage in stages:
        start_many(stage, 6)
    result = claim(clock)
    for stage in stages:
        rows = stage.postbacks()
        assert [row.state for row in rows] == [PostbackState.SENDING] * 4 + [
            PostbackState.WAITING
        ] * 2
        assert {row.lease for row in rows[:4]} == {"mine"}
    assert len(result.postbacks) == 8


def test_a_claim_brings_what_delivery_needs_of_the_destination(stage, clock):
    start_many(stage, 1)
    alter(Destination, failures=3)
    (claimed,) = claim(clock).postbacks
    row = db.session.get(Destination, stage.destination)
    assert (claimed.tracker, claimed.failures) == ("url_template", 3)
    assert claimed.destination_id == row.id
    db.session.commit()


def test_small_claims_go_round_all_destinations(make_stage, clock):
    stages = [make_stage() for _ in range(3)]
    for stage in stages:
        start_many(stage, 8)
    after, visited = 0, []
    for _ in range(4):
        result = claim(clock, most=4, after=after)
        visited.append({postback.destination_id for postback in result.postbacks})
        after = result.after
    first, second, third = (stage.destination for stage in stages)
    assert visited == [{first, second}, {third, first}, {second, third}, {first, second}]


def test_what_destinations_with_few_rows_might_take_is_left_to_the_others(make_stage, clock):
    """The first may have nine rows and has one; what it leaves would else be kept from the last."""
    stages = [make_stage() for _ in range(4)]
    for stage in stages:
        start_many(stage, 1)
    result = claim(clock, room=9, most=8)
    assert len(result.postbacks) == len(stages)


def test_a_claim_goes_on_behind_the_last_destination_and_round_to_it(make_stage, clock):
    stages = [make_stage() for _ in range(4)]
    for stage in stages:
        start_many(stage, 1)
    ids = [stage.destination for stage in stages]
    for after, order in ((0, ids), (ids[1], ids[2:] + ids[:2]), (ids[3], ids)):
        visited = []
        postbacks.claim(
            db.session.connection(), now=clock.now, lease="mine", until=clock.now + 45,
            after=after, quota_for=lambda due, _, seen=visited: seen.append(due.id) or 0, most=9,
        )  # fmt: skip
        db.session.commit()
        assert visited == order


def test_rows_in_flight_are_reported_to_whoever_says_how_many_to_take(stage, clock):
    start_many(stage, 3)
    claim(clock, room=2)
    seen = []
    postbacks.claim(
        db.session.connection(), now=clock.now, lease="other", until=clock.now + 45,
        after=0, quota_for=lambda due, _: seen.append(due.sending) or 0, most=9,
    )  # fmt: skip
    db.session.commit()
    assert seen == [2]


def test_what_is_not_due_or_not_to_be_sent_is_left(stage, clock):
    start_many(stage, 1)
    for change in (
        {"status": DestinationStatus.PAUSED},
        {"status": DestinationStatus.OFF},
        {"status": DestinationStatus.ACTIVE, "blocked_until": clock.now + 60},
    ):
        alter(Destination, **change)
        assert claim_all(clock) == []
    alter(Destination, blocked_until=0.0)
    alter(Postback, due=clock.now + 60)
    assert claim_all(clock) == []
    clock.now += 61
    assert len(claim_all(clock)) == 1


@pytest.mark.parametrize("every_event", [False, True])
def test_a_newer_status_waits_until_the_older_one_had_its_turn(stage, clock, every_event):
    alter(Destination, every_event=every_event)
    stage.play(people.start(ANN, f"{stage.code}-a", T))
    stage.play(people.join(ANN, people.Chat(stage.chat, "x", "supergroup"), T + 2))
    (first,) = claim_all(clock, lease="mine")
    assert claim_all(clock) == []
    batch = postbacks.Batch(updates=[first.finish(PostbackState.DELIVERED, "", now=clock.now)])
    postbacks.settle(db.session.connection(), "mine", batch, clock.now)
    db.session.commit()
    (second,) = claim_all(clock)
    assert second.id > first.id


def test_two_workers_never_hold_the_same_row(stage, clock):
    start_many(stage, 6)
    mine, theirs = (
        {postback.id for postback in claim(clock, room=room).postbacks} for room in (4, 4)
    )
    assert (len(mine), len(theirs), mine & theirs) == (4, 2, set())


def test_destinations_beyond_those_looked_at_get_their_turn_when_those_take_nothing(
    make_stage, clock, monkeypatch
):
    monkeypatch.setitem(postbacks.claim.__globals__, "_ROUND", 2)
    stages = [make_stage() for _ in range(3)]
    for stage in stages:
        start_many(stage, 1)
    after, seen = 0, []
    for _ in range(2):
        after = postbacks.claim(
            db.session.connection(), now=clock.now, lease="mine", until=clock.now + 45,
            after=after, quota_for=lambda due, _: seen.append(due.id) or 0, most=9,
        ).after  # fmt: skip
        db.session.commit()
    assert set(seen) == {stage.destination for stage in stages}


def test_each_of_many_destinations_gets_a_few_rows_before_any_gets_all(
    make_stage, clock, monkeypatch
):
    monkeypatch.setitem(postbacks.claim.__globals__, "_ROUND", 3)
    stages = [make_stage() for _ in range(4)]
    for stage in stages:
        start_many(stage, 4)
    after, reached = 0, Counter()
    for _ in range(2):
        result = postbacks.claim(
            db.session.connection(), now=clock.now, lease="mine", until=clock.now + 45,
            after=after, quota_for=lambda _, most: min(9, most), most=99,
        )  # fmt: skip
        db.session.commit()
        after = result.after
        reached.update(postback.destination_id for postback in result.postbacks)
    assert set(reached) == {stage.destination for stage in stages}
    assert max(reached.values()) <= 4


def test_a_destination_whose_rows_are_not_due_takes_nobodys_turn(make_stage, clock, monkeypatch):
    monkeypatch.setitem(postbacks.claim.__globals__, "_ROUND", 1)
    later, now = make_stage(), make_stage()
    for stage in (later, now):
        start_many(stage, 1)
    waits = Postback.destination_id == later.destination
    db.session.execute(update(Postback).where(waits).values(due=clock.now + 100))
    db.session.commit()
    assert [postback.destination_id for postback in claim(clock).postbacks] == [now.destination]


def test_accounts_that_are_full_are_passed_over(make_stage, clock):
    stages = [make_stage() for _ in range(2)]
    for stage in stages:
        start_many(stage, 1)
    full = db.session.get(Destination, stages[0].destination).account_id
    result = postbacks.claim(
        db.session.connection(), now=clock.now, lease="mine", until=clock.now + 45,
        after=0, quota_for=lambda _, most: min(9, most), most=9, full=[full],
    )  # fmt: skip
    db.session.commit()
    owners = {db.session.get(Destination, stage.destination).account_id for stage in stages}
    assert {postback.account_id for postback in result.postbacks} == owners - {full}


def test_what_is_being_sent_is_counted_without_a_look_at_what_was_sent(live_app):
    """SQLite read the whole table for each claim once, in the order of an index."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL's plans are looked at in tests/app/database/test_plans.py")
    plans: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_):
        raw = connection.connection.driver_connection
        rows = raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        plans.extend(row[3] for row in rows)

    with db.engine.connect() as connection:
        event.listen(connection, "before_cursor_execute", explain)
        postbacks.claim(
            connection, now=T, lease="mine", until=T + 45, after=0,
            quota_for=lambda _, most: most, most=100,
        )  # fmt: skip
        lease = in_hand.Lease("mine", T + 45, lambda _, most: most, 100)
        in_hand.destinations_to_send_to(connection, Counter([1]), lease, T)
    named = [plan for plan in plans if "ix_postback" in plan or "SCAN postback" in plan]
    assert len([plan for plan in named if "ix_postback_sending" in plan]) == 2
    assert all("ix_postback_sending" in plan or "ix_postback_waiting" in plan for plan in named)


def test_others_wait_who_may_be_sent_to_and_of_whom_nothing_is_held(make_stage, clock):
    def waits(*held):
        found = postbacks.others_wait(db.session.connection(), held, clock.now)
        db.session.commit()
        return found

    one, other = make_stage(), make_stage()
    assert not waits()
    start_many(one, 1)
    assert waits()
    assert waits(other.account)
    assert not waits(one.account)
    alter(Destination, blocked_until=clock.now + 1)
    assert not waits()
