"""Updates are stored, claimed fairly by bot, and keep no body once they are finished."""

import json
from typing import Any

import pytest

from app.extensions import db
from app.models import Bot, UpdateState
from app.sandbox.telegram import people
from app.services import pending_work
from app.services.updates import inbox
from app.services.updates.inbox import UpdateResult

ANN = people.Person(101, username="ann")


def _body(**fields: Any) -> bytes:
    return json.dumps({"update_id": 1, **people.start(ANN, "x")} | fields).encode()


def test_a_poll_stores_its_updates_and_the_offset_together(stage):
    inbox.store_updates(stage.bot, [_body(), _body(update_id=2), _body()], offset=3)
    db.session.expire_all()
    assert db.session.get(Bot, stage.bot).poll_offset == 3
    assert [one.update_id for one in stage.updates()] == [1, 2]


@pytest.fixture
def receive(live_app):
    """`receive(bot, count)` stores that many updates of a bot."""

    def receive(bot: int, count: int) -> None:
        inbox.store_updates(bot, [_body(update_id=number) for number in range(1, count + 1)])

    return receive


@pytest.fixture
def connect(live_app):
    """Open connections, each with a transaction that is rolled back at the end."""
    connections = []

    def connect():
        connections.append(db.engine.connect())
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()


def _claim_all(connection, limit):
    """Claim and finish until nothing is left. Returns the bots of each claim."""
    claims, after, has_more = [], 0, True
    while has_more:
        claimed = inbox.claim(connection, limit, after)
        results = [UpdateResult(update.id, UpdateState.DONE) for update in claimed.updates]
        inbox.finish(connection, results)
        claims.append([update.bot_id for update in claimed.updates])
        after, has_more = claimed.after, claimed.has_more
    return claims


def test_a_long_queue_of_one_bot_delays_no_other(receive, connect):
    receive(1, 50)
    receive(2, 1)
    receive(3, 20)
    claims = _claim_all(connect(), 12)
    assert claims[0] == [1] * 4 + [2] + [3] * 4
    assert claims[1] == [1] * 6 + [3] * 6
    assert sum(map(len, claims)) == 71


def test_a_bot_that_waits_alone_has_the_whole_claim_and_the_end_is_seen_at_once(receive, connect):
    receive(1, 10)
    assert _claim_all(connect(), 6) == [[1] * 6, [1] * 4]


def test_more_bots_than_a_claim_takes_from_have_their_turns(receive, connect, monkeypatch):
    monkeypatch.setattr(inbox, "_ROUND", 2)
    for bot in range(1, 6):
        receive(bot, 3)
    assert _claim_all(connect(), 4)[:3] == [[1, 1, 2, 2], [3, 3, 4, 4], [5, 5, 5]]


def test_what_another_worker_has_claimed_is_passed_by(receive, connect, monkeypatch):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file has one writer at a time")
    monkeypatch.setattr(inbox, "_ROUND", 1)
    receive(1, 2)
    receive(2, 1)
    first, second, third = connect(), connect(), connect()
    (taken, _) = mine = inbox.claim(first, 9).updates
    assert [update.bot_id for update in inbox.claim(second, 9).updates] == [2]
    assert inbox.claim(third, 9).updates == []
    assert inbox.claim_again(third, [taken]) == []
    first.rollback()
    assert inbox.claim_again(third, mine) == mine


def test_what_is_claimed_again_still_waits(receive, connect):
    connection = connect()
    receive(1, 3)
    claimed = inbox.claim(connection, 9).updates
    inbox.finish(connection, [UpdateResult(claimed[1].id, UpdateState.IGNORED, "of no use")])
    assert inbox.claim_again(connection, claimed) == [claimed[0], claimed[2]]


def test_only_what_is_quarantined_keeps_its_body(stage):
    inbox.store_updates(stage.bot, [_body(update_id=number) for number in (1, 2, 3)])
    with db.engine.begin() as connection:
        states = (UpdateState.DONE, UpdateState.IGNORED, UpdateState.QUARANTINED)
        claimed = inbox.claim(connection, 9).updates
        results = [
            UpdateResult(update.id, state, state.name.lower())
            for update, state in zip(claimed, states, strict=True)
        ]
        inbox.finish(connection, results)
    rows = [(row.state, row.reason, row.body) for row in stage.updates()]
    assert rows == [
        (UpdateState.DONE, "done", b""),
        (UpdateState.IGNORED, "ignored", b""),
        (UpdateState.QUARANTINED, "quarantined", _body(update_id=3)),
    ]
    assert not pending_work.look(0).updates
