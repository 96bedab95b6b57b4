"""What the tables of the desk hold, and what they refuse."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Blocked, JoinRequest


def request(world, **fields):
    row = JoinRequest(
        **{
            "account_id": world.account_id, "campaign_id": world.campaign(), "bot_id": 1,
            "chat_id": -5, "subscriber": 7, "asked": 100, **fields,
        }
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def test_a_bio_is_encrypted_and_read_as_it_was(app, world):
    row = request(world, bio="I sell")
    assert "I sell" not in db.session.scalar(text("SELECT bio FROM join_request"))
    db.session.expire_all()
    assert row.bio == "I sell"


def test_one_person_asks_once_in_a_second(app, world):
    request(world)
    request(world, asked=101)
    request(world, chat_id=-6)
    with pytest.raises(IntegrityError):
        request(world)


def test_a_person_is_blocked_once_in_an_account(app, world):
    for username in (None, "ann"):
        db.session.add(Blocked(account_id=world.account_id, username=username, created=1))
        db.session.flush()
    db.session.add(Blocked(account_id=world.account_id, username="ann", created=1))
    with pytest.raises(IntegrityError):
        db.session.flush()
