"""What a poll brought is stored together with the next offset."""

from __future__ import annotations

import json
from typing import Any

from app.extensions import db
from app.models import Bot
from app.sandbox.telegram import people
from app.services.updates import inbox

ANN = people.Person(101, username="ann")


def _body(**fields: Any) -> bytes:
    return json.dumps({"update_id": 1, **people.start(ANN, "x")} | fields).encode()


def test_a_poll_stores_its_updates_and_the_offset_together(stage):
    inbox.store_updates(stage.bot, [_body(), _body(update_id=2), _body()], offset=3)
    db.session.expire_all()
    assert db.session.get(Bot, stage.bot).poll_offset == 3
    assert [one.update_id for one in stage.updates()] == [1, 2]
