"""An update is stored once, and nothing that a bot's secret let in is refused."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from app.extensions import db
from app.models import Bot, UpdateState
from app.sandbox.telegram import people
from app.services.updates import inbox

ANN = people.Person(101, username="ann")


def _body(**fields: Any) -> bytes:
    return json.dumps({"update_id": 1, **people.start(ANN, "x")} | fields).encode()


def test_a_repeated_update_is_stored_once_also_by_concurrent_twins(stage):
    threads = [
        threading.Thread(target=_store_in_thread, args=(stage.bot, _body())) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stage.updates()) == 1


def _store_in_thread(bot: int, body: bytes) -> None:
    from flask import current_app

    with APPLICATION[0].app_context():
        assert current_app
        inbox.store_update(bot, body)


APPLICATION: list[Any] = []


@pytest.fixture(autouse=True)
def _remember_the_application(live_app):
    APPLICATION[:] = [live_app]


def test_the_same_update_id_from_two_bots_is_two_updates(make_stage):
    one, two = make_stage(), make_stage()
    for stage in (one, two):
        inbox.store_update(stage.bot, _body())
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
def test_malformed_but_authenticated_input_is_quarantined_with_a_reason(stage, body):
    inbox.store_update(stage.bot, body)
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
def test_odd_but_possible_input_is_stored_and_ends(stage, body):
    inbox.store_update(stage.bot, body)
    stage.play()
    from app.services.leads import process

    process.process_updates(seconds=5)
    (update,) = stage.updates()
    assert update.update_id == 5
    assert update.state == UpdateState.IGNORED


def test_a_poll_stores_its_updates_and_the_offset_together(stage):
    inbox.store_updates(stage.bot, [_body(), _body(update_id=2), _body()], offset=3)
    db.session.expire_all()
    assert db.session.get(Bot, stage.bot).poll_offset == 3
    assert [one.update_id for one in stage.updates()] == [1, 2]
