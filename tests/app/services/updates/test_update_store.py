"""Updates of webhooks are stored once, and nothing that a bot's secret let in is refused."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select

from app.database.connections import begin_writing
from app.extensions import db
from app.models import Bot, BotStatus, UpdateState
from app.sandbox.telegram import people
from app.services.updates.new_update import NewUpdate
from app.services.updates.update_store import BESIDE, UpdateStore

ANN = people.Person(101, username="ann")


def _body(**fields: Any) -> bytes:
    return json.dumps({"update_id": 1, **people.start(ANN, "x")} | fields).encode()


@pytest.fixture
def store(live_app) -> Iterator[UpdateStore]:
    opened = UpdateStore(live_app.config["SETTINGS"].database_url)
    yield opened
    opened.close()


def test_a_repeated_update_is_stored_once_also_by_concurrent_twins(stage, store):
    threads = [threading.Thread(target=store.put, args=(stage.bot, _body())) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stage.updates()) == 1


def test_a_row_that_the_driver_refuses_keeps_nobody_else_from_writing(stage, store):
    """On SQLite the transaction is the only writer until it is ended."""
    tainted = NewUpdate(stage.bot, 2**63, b"{}", time.time(), int(UpdateState.WAITING), None)
    with pytest.raises((OverflowError, psycopg.Error)):
        store._insert([tainted])
    with db.engine.connect() as other:
        begin_writing(other)
    store.put(stage.bot, _body())
    assert len(stage.updates()) == 1


def test_the_same_update_id_from_two_bots_is_two_updates(make_stage, store):
    one, two = make_stage(), make_stage()
    for stage in (one, two):
        store.put(stage.bot, _body())
    assert len(one.updates()) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"update_id": "1"}',
        b'{"update_id": true}',
        b'{"update_id": -1}',
        b'{"update_id": 99999999999999999999999}',
        b"[" * 100_000,
        b'{"message": {}}',
    ],
)
def test_malformed_but_authenticated_input_is_quarantined_with_a_reason(stage, store, body):
    store.put(stage.bot, body)
    (update,) = stage.updates()
    assert update.state == UpdateState.QUARANTINED
    assert update.reason


@pytest.mark.parametrize(
    "body",
    [
        b'{"update_id": 5, "message": {"text": "\\u0000"}}',
        b'{"update_id": 5, "message": {"text": "\\ud800"}}',
        b'{"update_id": 5, "x": NaN}',
        b'{"update_id": 4, "update_id": 5}',
        b'{"update_id": 5, "brand_new_kind": {"id": 1}}',
    ],
)
def test_odd_but_possible_input_is_stored_and_ends(stage, store, body):
    store.put(stage.bot, body)
    stage.play()
    from app.services.leads import process

    process.process_updates(seconds=60)
    (update,) = stage.updates()
    assert update.update_id == 5
    assert update.state == UpdateState.IGNORED


def test_a_body_that_is_too_large_is_quarantined_by_its_beginning(stage, store):
    store.put_oversized(stage.bot, b"x" * 4096)
    (update,) = stage.updates()
    assert update.state == UpdateState.QUARANTINED
    assert 0 < len(update.body) <= 4096


@pytest.mark.parametrize("beside", [False, True])
def test_a_deleted_bot_is_behind_no_path(store, world, beside):
    path = f"path-of-nobody-{time.monotonic_ns()}"
    bot = world.bot(webhook_path=path)
    assert store.find_bots(path, beside)[path] == bot
    db.session.get_one(Bot, bot).status = BotStatus.DELETED
    db.session.commit()
    assert store.find_bots(path, beside) == {}


def test_the_paths_of_other_living_bots_are_read_along_and_of_no_more_than_a_thousand(store, world):
    name = f"path-{time.monotonic_ns()}"
    world.bot(webhook_path=f"{name}-deleted", status=BotStatus.DELETED)
    first = db.session.scalar(select(func.max(Bot.id))) // BESIDE * BESIDE + BESIDE
    bots = {
        f"{name}-{number}": world.bot(id=first + number, webhook_path=f"{name}-{number}")
        for number in (0, 1, BESIDE - 1, BESIDE)
    }
    world.bot(id=first + 2, webhook_path=f"{name}-gone", status=BotStatus.DELETED)
    *near, last = bots
    assert store.find_bots(near[1], beside=False) == {near[1]: bots[near[1]]}
    assert store.find_bots(near[1], beside=True) == {path: bots[path] for path in near}
    assert store.find_bots(last, beside=True) == {last: bots[last]}
    assert store.find_bots(f"{name}-gone", beside=True) == {}


@pytest.mark.parametrize("beside", [False, True])
def test_a_bot_is_looked_up_while_another_writes(store, world, beside):
    """On SQLite whoever starts a transaction waits for the writer; who only reads need not."""
    path = f"path-of-nobody-{time.monotonic_ns()}"
    bot = world.bot(webhook_path=path)
    with db.engine.begin():
        assert store.find_bots(path, beside)[path] == bot
