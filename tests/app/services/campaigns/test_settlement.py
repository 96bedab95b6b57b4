"""The clock settles what is due, each transfer by itself."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.models import Bot, Transfer, TransferState
from app.services.campaigns import handover, settlement


@pytest.fixture
def asked(account, other, world):
    """`asked(due=5.0)`: a transfer of a new bot."""

    def make(due: float) -> Transfer:
        parts = {"account_id": account.id, "recipient_id": other.id, "with_leads": True}
        row = Transfer(**parts, bot_id=world.bot(), title="x", created=1.0, due=due)
        db.session.add(row)
        db.session.commit()
        return row

    return make


def states():
    db.session.expire_all()
    found = db.session.scalars(select(Transfer.state).order_by(Transfer.id)).all()
    db.session.commit()
    return found


def test_only_what_is_due_is_settled_and_only_once(asked, other):
    first, _ = asked(5.0), asked(50.0)
    assert settlement.settle(4.9) == 0
    assert settlement.settle(5.0) == 1
    assert settlement.settle(5.0) == 0
    assert states() == [TransferState.DONE, TransferState.PENDING]
    assert db.session.get_one(Bot, first.bot_id).account_id == other.id
    assert first.settled == 5.0
    db.session.commit()


def test_one_that_cannot_be_settled_does_not_hold_up_the_others(asked, monkeypatch):
    stuck, _ = asked(5.0), asked(6.0)
    stuck_id = stuck.id
    usual = handover.take_effect

    def fails(transfer, now):
        if transfer.id == stuck_id:
            raise OperationalError("UPDATE", {}, Exception("deadlock detected"))
        return usual(transfer, now)

    monkeypatch.setattr(handover, "take_effect", fails)
    assert settlement.settle(9.0) == 1
    assert states() == [TransferState.PENDING, TransferState.DONE]
    monkeypatch.undo()
    assert settlement.settle(9.0) == 0  # it is not tried again before the others of that time
    assert settlement.settle(9.0 + 600.0) == 1
    assert states() == [TransferState.DONE, TransferState.DONE]
