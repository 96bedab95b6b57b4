"""Step by step, in the caller's transaction; what it does is tested with `clicks.store`."""

from collections import Counter

import pytest
from sqlalchemy import select

from app.database.rows import is_postgresql
from app.extensions import db
from app.models import InviteKind, InviteState, SourceDay, SourceMode
from app.services.clicks.grouped import sqlite
from app.services.clicks.grouped.visit import PoolOrder, Visit


def test_nothing_stays_of_a_transaction_that_its_caller_gives_up(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.fill()
    with db.engine.connect() as connection:
        if is_postgresql(connection):
            pytest.skip("PostgreSQL has a statement for it")
        order = PoolOrder(inviting.stage.bot, inviting.chat.id, InviteKind.SINGLE, 60, "t" * 16)
        visits = [Visit(inviting.source.id, "visits", inviting.now, order=order)]
        (stored,) = sqlite.store(connection, visits, Counter())
        connection.rollback()
    assert stored.link
    assert {row.state for row in inviting.invites()} == {InviteState.POOL}
    assert db.session.scalars(select(SourceDay)).all() == []
