"""Erasure: everything that tells who a subscriber is leaves one account for good.

The lead, its state, its counters and its place in the journal stay; in place
of the person stands the lead's number, below zero, which is nobody's. What a
tracker was to hear and has not heard is discarded: without the click it could
not be matched.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import orjson
import structlog
from sqlalchemy import ColumnElement, Row, and_, delete, func, or_, select, update

from app.database import is_postgresql, update_rows
from app.extensions import db
from app.models import (
    Attempt,
    Bot,
    Campaign,
    JournalEntry,
    Lead,
    Message,
    MessageState,
    Postback,
    PostbackState,
    PostbackTally,
    Unreachable,
    Update,
    UpdateState,
    table_of,
)
from app.services.postbacks import ERASED
from app.services.updates import inbox

log = structlog.get_logger()

_POSTBACKS: Final = table_of(Postback)
_NOBODY: Final = {"username": "", "first_name": "", "last_name": "", "language": "", "click": ""}


def erase(account_id: int, subscriber: int) -> int:
    """Erase a person from an account; returns how many leads they had. Repeatable."""
    bots = db.session.scalars(select(Bot.id).where(Bot.account_id == account_id)).all()
    inbox.hold(db.session.connection(), bots)
    own = select(Campaign.id).where(Campaign.account_id == account_id)
    mine = (
        Lead.account_id == account_id, Lead.campaign_id.in_(own), Lead.subscriber == subscriber,
    )  # fmt: skip
    leads = db.session.scalars(select(Lead.id).where(*mine)).all()
    _postbacks(_reported(account_id, leads, subscriber))
    _journal(account_id, leads, subscriber)
    _messages(account_id, bots, subscriber)
    _updates(bots, subscriber)
    db.session.execute(
        delete(Unreachable).where(
            Unreachable.bot_id.in_(bots), Unreachable.subscriber == subscriber
        )
    )
    db.session.execute(
        update(Lead)
        .where(*mine)
        .values(subscriber=-Lead.id, premium=False, **_NOBODY)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    log.info("subscriber.erased", account=account_id, leads=len(leads))
    return len(leads)


def _reported(account_id: int, leads: Sequence[int], subscriber: int) -> Sequence[Row[int, str]]:
    """Id and event of what any trackers were told of these leads; nobody could find it afterwards.

    Also what own trackers were told of leads that have gone to another account since.
    """
    reported = select(PostbackTally.campaign_id).where(PostbackTally.account_id == account_id)
    gone = select(Lead.id).where(Lead.campaign_id.in_(reported), Lead.subscriber == subscriber)
    own = and_(Postback.account_id == account_id, Postback.lead_id.in_(gone))
    theirs = or_(Postback.lead_id.in_(leads), own)
    found = select(Postback.id, Postback.event).where(theirs).order_by(Postback.id)
    return db.session.execute(found).all()


def _postbacks(rows: Sequence[Row[int, str]]) -> None:
    ids = [row.id for row in rows]
    update_rows(
        db.session.connection(),
        _POSTBACKS,
        ["event", "carried"],  # a tracker's number for the person is theirs too
        [(row.id, _without(row.event), "") for row in rows],
    )
    db.session.execute(
        update(Postback)
        .where(
            Postback.id.in_(ids),
            Postback.state.in_((PostbackState.WAITING, PostbackState.SENDING)),
        )
        # Who is sending it loses the lease: it must not come back to be tried again.
        .values(
            state=PostbackState.DISCARDED,
            reason=ERASED,
            settled=time.time(),
            lease=None,
            lease_until=None,
        )
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Attempt)
        .where(Attempt.postback_id.in_(ids))
        .values(request=ERASED, answer="")
        .execution_options(synchronize_session=False)
    )


def _without(event: str) -> str:
    fields = orjson.loads(event)
    return orjson.dumps({**fields, **_NOBODY, "subscriber": 0, "premium": False}).decode()


def _journal(account_id: int, leads: Sequence[int], subscriber: int) -> None:
    """Entries of no lead are nobody's at all: zero."""
    own = select(Campaign.id).where(Campaign.account_id == account_id)
    organic = (
        JournalEntry.lead_id.is_(None),
        JournalEntry.campaign_id.in_(own),
        JournalEntry.subscriber == subscriber,
    )
    for where in ((JournalEntry.lead_id.in_(leads),), organic):
        db.session.execute(
            update(JournalEntry)
            .where(*where)
            .values(subscriber=func.coalesce(-JournalEntry.lead_id, 0), username="")
            .execution_options(synchronize_session=False)
        )


def _messages(account_id: int, bots: Sequence[int], subscriber: int) -> None:
    mine = or_(Message.bot_id.in_(bots), Message.account_id == account_id)
    theirs = (mine, Message.chat_id == subscriber)
    db.session.execute(
        update(Message)
        .where(*theirs, Message.state == MessageState.WAITING)
        .values(state=MessageState.FAILED, reason=ERASED)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Message)
        .where(*theirs)
        .values(chat_id=0, text="", markup="")
        .execution_options(synchronize_session=False)
    )


def _updates(bots: Sequence[int], subscriber: int) -> None:
    """What Telegram sent is only kept for repetitions: its text may go, the row stays."""
    db.session.execute(
        update(Update)
        .where(
            Update.bot_id.in_(bots),
            Update.state != UpdateState.WAITING,
            _holds(str(subscriber).encode()),
        )
        .values(body=b"", reason=None)
        .execution_options(synchronize_session=False)
    )


def _holds(text: bytes) -> ColumnElement[bool]:
    """Longer numbers match too, which costs nothing but their text."""
    if is_postgresql(db.session.connection()):
        return Update.body.op("LIKE", is_comparison=True)(b"%" + text + b"%")
    return func.instr(Update.body, text) > 0
