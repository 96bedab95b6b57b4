"""What the table of invite links holds, and how its rows are found."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Invite, InviteKind, InviteState


def invite(**fields):
    row = Invite(
        **{"bot_id": 1, "chat_id": -5, "link": "https://t.me/+a", "made": 1, "kind": 1, **fields}
    )
    db.session.add(row)
    db.session.flush()
    return row


def test_the_link_is_encrypted_and_read_as_it_was(app):
    row = invite(link_key="k1")
    stored = db.session.scalar(text("SELECT link FROM invite"))
    assert "t.me" not in stored
    db.session.expire_all()
    assert row.link == "https://t.me/+a"


def test_no_link_is_stored_twice(app):
    invite(link_key="k1")
    with pytest.raises(IntegrityError):
        invite(link_key="k1")


def test_a_source_has_one_named_link_in_use_and_any_number_of_old_ones(app):
    named = {"kind": InviteKind.NAMED, "source_id": 3}
    for _ in range(2):
        invite(state=InviteState.GONE, **named)
    invite(state=InviteState.HANDED_OUT, **named)
    with pytest.raises(IntegrityError):
        invite(state=InviteState.HANDED_OUT, **named)
