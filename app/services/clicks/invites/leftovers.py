"""Invite links that nobody needs any more: of lost chats, deleted sources and erased people."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, select, text, update

from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    BotStatus,
    CampaignStatus,
    Click,
    Invite,
    InviteKind,
    InviteState,
    SourceStatus,
)

#: As long as clicks. Until then a forwarded link is recognised.
KEPT: Final = 90 * DAY
BATCH: Final = 2000

_IS_POOLED: Final = f"state = {InviteState.POOL:d}"
_IS_NAMED: Final = f"kind = {InviteKind.NAMED:d} AND state = {InviteState.HANDED_OUT:d}"
#: Links of chats that the bot does not track any more: the group moved, or the campaign went.
_OF_LOST_CHATS: Final = tuple(
    text(f"""
        UPDATE invite SET state = {InviteState.GONE:d}
        WHERE {condition} AND NOT EXISTS (
            SELECT 1 FROM campaign JOIN bot ON bot.id = campaign.bot_id
            WHERE campaign.bot_id = invite.bot_id AND campaign.chat_id = invite.chat_id
                AND campaign.status <> {CampaignStatus.DELETED:d}
                AND bot.status <> {BotStatus.DELETED:d}
        )
    """)  # noqa: S608 - our own constants
    for condition in (_IS_POOLED, _IS_NAMED)
)
#: The link of a deleted source lets nobody in any more, as its `/c/` leads nowhere.
_OF_DELETED_SOURCES: Final = text(f"""
    UPDATE invite SET state = {InviteState.TO_REVOKE:d}, due = :now
    WHERE {_IS_NAMED}
        AND EXISTS (
            SELECT 1 FROM source
            WHERE source.id = invite.source_id AND source.status = {SourceStatus.DELETED:d}
        )
""")  # noqa: S608
#: What has expired needs no call.
_EXPIRED: Final = text(f"""
    UPDATE invite SET state = {InviteState.GONE:d}
    WHERE state = {InviteState.TO_REVOKE:d} AND expires < :now
""")  # noqa: S608
_NEVER_USED: Final = text(f"DELETE FROM invite WHERE {_IS_POOLED} AND expires < :now")  # noqa: S608
_OLD: Final = text(f"""
    DELETE FROM invite WHERE id IN (
        SELECT id FROM invite WHERE made < :old AND NOT ({_IS_NAMED}) LIMIT {BATCH}
    )
""")  # noqa: S608


_ANY: Final = text("SELECT id FROM invite LIMIT 1")


def sweep(now: float) -> None:
    """Mark what leads nowhere at `now`, Unix seconds, and delete what is old. Commits."""
    connection = db.session.connection()
    if connection.execute(_ANY).first() is None:
        db.session.rollback()
        return
    for statement in _OF_LOST_CHATS:
        connection.execute(statement)
    for statement in (_OF_DELETED_SOURCES, _EXPIRED, _NEVER_USED):
        connection.execute(statement, {"now": now})
    connection.execute(_OLD, {"old": now - KEPT})
    db.session.commit()


def forget_person(bots: Sequence[int], subscriber: int, now: float) -> None:
    """Take a person out of the links of some bots. No commit.

    What can still be used is revoked from `now` on, Unix seconds, and then emptied like the rest.
    """
    _forget(now, Invite.bot_id.in_(bots), Invite.used_by == subscriber)


def forget_clicks(bots: Sequence[int], clicks: ColumnElement[bool], now: float) -> None:
    """Take clicks out of the links that some bots made for them, as `forget_person`. No commit."""
    tokens = select(Click.token).where(clicks)
    _forget(now, Invite.bot_id.in_(bots), Invite.token.in_(tokens))


def _forget(now: float, *theirs: ColumnElement[bool]) -> None:
    is_open = Invite.state.in_((InviteState.HANDED_OUT, InviteState.USED))
    is_waiting = Invite.state == InviteState.TO_REVOKE
    for statement in (
        update(Invite).where(*theirs, ~is_waiting, ~is_open).values(link=""),
        update(Invite).where(*theirs, is_open).values(state=InviteState.TO_REVOKE, due=now),
        update(Invite).where(*theirs).values(used_by=None, token=None, link_key=None),
    ):
        db.session.execute(statement.execution_options(synchronize_session=False))
