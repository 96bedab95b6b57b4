"""One event of one sender is one row."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db


def test_an_event_of_one_key_kind_and_tid_is_there_once(world):
    world.conversion(tid="t1", key_id=1, kind="purchase")
    world.conversion(tid="t1", key_id=2, kind="purchase")
    world.conversion(tid="t1", key_id=1, kind="refund")
    with pytest.raises(IntegrityError):
        world.conversion(tid="t1", key_id=1, kind="purchase")
    db.session.rollback()


def test_two_keys_with_one_hash_cannot_be(world):
    world.event_key(key_hash="a" * 64)
    with pytest.raises(IntegrityError):
        world.event_key(key_hash="a" * 64)
    db.session.rollback()
