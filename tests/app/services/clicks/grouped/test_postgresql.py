"""One statement for all who press at once; what it does is tested with `clicks.store`."""

from collections import Counter

import pytest
from sqlalchemy import text

from app.database.rows import is_postgresql
from app.extensions import db
from app.models import InviteKind, SourceMode
from app.services.clicks.grouped import postgresql
from app.services.clicks.grouped.visit import PoolOrder, Visit

#: Chats whose pools lie beside the one that is asked for.
CHATS = 300


@pytest.fixture
def inviting(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    with db.engine.connect() as connection:
        if not is_postgresql(connection):
            pytest.skip("SQLite goes step by step")
    return inviting


def fill(inviting):
    db.session.execute(
        text(
            "INSERT INTO invite (bot_id, chat_id, kind, state, link, name, made, expires, uses,"
            " due, tries) SELECT :bot, :chat - n % :chats, :kind, CASE WHEN n % 5 = 0 THEN 0"
            " ELSE 1 END, 'x', '', 0, :expires, 0, 0, 0 FROM generate_series(1, 30000) AS n"
        ),
        {
            "bot": inviting.stage.bot, "chat": inviting.chat.id, "chats": CHATS,
            "kind": int(InviteKind.SINGLE), "expires": int(inviting.now) + 10**6,
        },
    )  # fmt: skip
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE invite"))


def test_a_link_is_found_by_its_place_and_no_table_of_links_or_clicks_is_read_whole(inviting):
    fill(inviting)
    order = PoolOrder(inviting.stage.bot, inviting.chat.id, InviteKind.SINGLE, 3600, "t" * 16)
    visit = Visit(inviting.source.id, "", inviting.now, order=order)
    values = postgresql.parameters([visit], Counter()) | {"patience": "500", "counting": True}
    with db.engine.connect() as connection:
        rows = connection.execute(text(f"EXPLAIN {postgresql.statement()}"), values)
        plan = [row[0] for row in rows]
    assert any("Index Scan using ix_invite_pool" in line for line in plan)
    assert any("Tid Scan on invite" in line for line in plan)
    assert not [line for line in plan if "Seq Scan on invite" in line]
