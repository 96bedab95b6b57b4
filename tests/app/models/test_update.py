"""An update is stored once for a bot; what has no number may come as often as it likes."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Update, UpdateState
from tests.support.indexes import indexed


@pytest.fixture
def add(app):
    def add(**fields):
        row = Update(**{"bot_id": 1, "update_id": 5, "body": b"{}", "received": 1.5, **fields})
        db.session.add(row)
        db.session.flush()
        db.session.refresh(row)
        return row

    return add


def test_a_bots_update_is_stored_once(add):
    add()
    add(bot_id=2)
    add(update_id=6)
    with pytest.raises(IntegrityError):
        add()


def test_bodies_without_a_number_do_not_stand_in_each_others_way(add):
    quarantined = {"update_id": None, "state": UpdateState.QUARANTINED}
    assert add(**quarantined).id != add(**quarantined).id


def test_a_body_is_stored_to_the_byte_and_waits(add):
    row = add(body=bytes(range(256)), update_id=2**40)
    assert (row.body, row.update_id) == (bytes(range(256)), 2**40)
    assert (row.state, row.reason, row.received) == (UpdateState.WAITING, None, 1.5)


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("ix_telegram_update_waiting", UpdateState.WAITING),
        ("ix_telegram_update_quarantined", UpdateState.QUARANTINED),
    ],
)
def test_a_partial_index_holds_the_one_state_that_it_is_for(add, name, state):
    ids = {each: add(update_id=int(each), state=each).id for each in UpdateState}
    assert indexed(Update, name) == {ids[state]}
