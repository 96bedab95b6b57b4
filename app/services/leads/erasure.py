"""Erasure: all that identifies a subscriber is removed from one account for good.

Leads, their states, counters and journal entries stay. The subscriber's id is
replaced by the lead's id below zero, which belongs to nobody. Postbacks that
were not delivered are discarded: without the click id a tracker could not
match them.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import (
    Row,
    Select,
    String,
    and_,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from app.crypto import cipher
from app.database.connections import ONLY_READS, let_others_write
from app.database.rows import update_rows
from app.domain import events
from app.errors import TooManyRequests
from app.extensions import db
from app.models import (
    Attempt,
    Blocked,
    Bot,
    Campaign,
    Click,
    Conversion,
    Invite,
    JoinRequest,
    JournalEntry,
    Lead,
    Message,
    MessageState,
    Postback,
    PostbackState,
    Unreachable,
    table_of,
)
from app.services.campaigns import settlement
from app.services.clicks.invites import leftovers
from app.services.exports import prepared
from app.services.join_requests import retention
from app.services.leads import erased_texts
from app.services.postbacks import ERASED
from app.services.postbacks import log as delivery_log
from app.services.updates import inbox
from app.web.request_slots import slot_released

log = structlog.get_logger()

_POSTBACKS: Final = table_of(Postback)
#: Seconds, told to the client, after which to try again while a history moves.
_MOVING_SECONDS: Final = 10
_EMPTY: Final = {"username": "", "first_name": "", "last_name": "", "language": "", "click": ""}


def erase(account_id: int, subscriber: int) -> int:
    """Erase a subscriber from an account. Commits; can be repeated. Returns the number of leads.

    Raises TooManyRequests while leads come or go with a transfer: not all would be found.
    """
    db.session.commit()
    db.session.connection(execution_options={ONLY_READS: True})
    bots = db.session.scalars(select(Bot.id).where(Bot.account_id == account_id)).all()
    is_known = _is_known(account_id, bots, subscriber)
    _require_no_move(account_id)
    db.session.rollback()
    leads: Sequence[int] = []
    if is_known:
        began = time.monotonic()
        leads = _erase_rows(account_id, bots, subscriber)
        with slot_released():
            let_others_write(db.engine, time.monotonic() - began)
    erased_texts.empty_messages(account_id, subscriber)
    erased_texts.empty_updates(bots, subscriber)
    prepared.remove_all(account_id, time.time())
    log.info("subscriber.erased", account=account_id, leads=len(leads))
    return len(leads)


def _require_no_move(account_id: int) -> None:
    """Raise TooManyRequests while a history comes or goes.

    To be asked after the look for rows: a move that began before that look is seen here.
    """
    if settlement.is_moving(account_id):
        raise TooManyRequests(_MOVING_SECONDS)


def _is_known(account_id: int, bots: Sequence[int], subscriber: int) -> bool:
    """Whether any row that an index leads to tells of a subscriber.

    Asked without a lock, so that erasing those of whom nothing is known, again and again, keeps
    nobody from writing. What comes a moment later came after the erasure.
    """
    own = select(Campaign.id).where(Campaign.account_id == account_id)
    reported = delivery_log.reported_campaigns(account_id)
    person = cipher.person_hash(account_id, subscriber)
    is_named = or_(Blocked.subscriber.is_not(None), Blocked.username.is_not(None))
    conditions: tuple[tuple[Any, ...], ...] = (
        (JoinRequest.account_id == account_id, JoinRequest.subscriber == subscriber),
        (Blocked.account_id == account_id, Blocked.person == person, is_named),
        _organic(account_id, subscriber),
        (Message.bot_id.in_(bots), Message.chat_id == subscriber),
        (Invite.bot_id.in_(bots), Invite.used_by == subscriber),
        (Conversion.account_id == account_id, Conversion.subscriber == subscriber),
        (Unreachable.bot_id.in_(bots), Unreachable.subscriber == subscriber),
        (Lead.campaign_id.in_(own), Lead.subscriber == subscriber),
        (Lead.campaign_id.in_(reported), Lead.subscriber == subscriber),
    )
    return any(db.session.scalar(select(exists().where(*condition))) for condition in conditions)


def _erase_rows(account_id: int, bots: Sequence[int], subscriber: int) -> Sequence[int]:
    """Erase a subscriber from all rows that an index leads to. Commits. Returns the leads."""
    inbox.hold(db.session.connection(), bots)
    leads = _find_leads(account_id, subscriber)
    _require_no_move(account_id)
    retention.erase(account_id, subscriber, leads, time.time())  # while their names stand
    _erase_postbacks(_find_postbacks(account_id, leads, subscriber))
    _erase_journal(account_id, leads, subscriber)
    _erase_messages(bots, subscriber)
    _erase_clicks(account_id, bots, leads, subscriber)
    _erase_conversions(account_id, leads, subscriber)
    db.session.execute(
        delete(Unreachable).where(
            Unreachable.bot_id.in_(bots), Unreachable.subscriber == subscriber
        )
    )
    db.session.execute(
        update(Lead)
        .where(Lead.id.in_(leads))
        .values(subscriber=-Lead.id, premium=False, click_id=None, also_seen="", **_EMPTY)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    return leads


def _erase_clicks(
    account_id: int, bots: Sequence[int], leads: Sequence[int], subscriber: int
) -> None:
    """Delete the clicks of these leads, and all that their browsers did for the account.

    The invite links that they got, or came by, forget them.
    """
    theirs = or_(Click.lead_id.in_(leads), Click.id.in_(_clicks_of(leads)))
    browsers = db.session.scalars(
        select(Click.visitor).where(theirs, Click.visitor != "").distinct()
    ).all()
    same = and_(
        Click.visitor.in_(browsers), Click.visitor != "", Click.account_id + 0 == account_id
    )
    for clicks in (theirs, same) if browsers else (theirs,):
        leftovers.forget_clicks(bots, clicks, time.time())
        db.session.execute(delete(Click).where(clicks))
    leftovers.forget_person(bots, subscriber, time.time())


def _erase_conversions(account_id: int, leads: Sequence[int], subscriber: int) -> None:
    """Keep the money; empty what the sender called the person and the event.

    Conversions that waited for the person wait for nobody any more.
    """
    waiting = (Conversion.account_id == account_id, Conversion.subscriber == subscriber)
    emptied = {"click": "", "note": "", "subscriber": None}
    for theirs in ((Conversion.lead_id.in_(leads),), waiting):
        db.session.execute(
            update(Conversion)
            .where(*theirs)
            .values(tid=literal("erased ").concat(cast(Conversion.id, String)), **emptied)
            .execution_options(synchronize_session=False)
        )


def _clicks_of(leads: Sequence[int]) -> Select[int | None]:
    """Clicks that leads name, also one whose token somebody else used after them."""
    return select(Lead.click_id).where(Lead.id.in_(leads), Lead.click_id.is_not(None))


def _find_leads(account_id: int, subscriber: int) -> Sequence[int]:
    own = select(Campaign.id).where(Campaign.account_id == account_id)
    # `+ 0` keeps the index by account out of the plan: it leads to all leads of the account.
    mine = (Lead.campaign_id.in_(own), Lead.subscriber == subscriber)
    return db.session.scalars(select(Lead.id).where(*mine, Lead.account_id + 0 == account_id)).all()


def _find_postbacks(
    account_id: int, leads: Sequence[int], subscriber: int
) -> Sequence[Row[int, str]]:
    """Id and event of all postbacks of these leads: of every account they belonged to.

    Also the account's own postbacks of leads that belong to another account now.
    They must be found first, since afterwards no row names the subscriber.
    """
    reported = delivery_log.reported_campaigns(account_id)
    gone = select(Lead.id).where(Lead.campaign_id.in_(reported), Lead.subscriber == subscriber)
    others = set(db.session.scalars(gone)) - set(leads)
    columns = select(Postback.id, Postback.event)
    of_leads = db.session.execute(columns.where(Postback.lead_id.in_(leads))).all()
    own = (Postback.lead_id.in_(others), Postback.account_id + 0 == account_id)
    return sorted([*of_leads, *db.session.execute(columns.where(*own))])


def _erase_postbacks(rows: Sequence[Row[int, str]]) -> None:
    if not rows:
        return
    ids = [row.id for row in rows]
    update_rows(
        db.session.connection(),
        _POSTBACKS,
        ["event", "adapter_state"],  # a tracker's own id of the person identifies them, too
        [(row.id, _without_person(row.event), "") for row in rows],
    )
    db.session.execute(
        update(Postback)
        .where(
            Postback.id.in_(ids),
            Postback.state.in_((PostbackState.WAITING, PostbackState.SENDING)),
        )
        # A worker that is sending it loses the lease, so it is not tried again.
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


def _without_person(event: str) -> str:
    fields = events.without_click(orjson.loads(event))
    return orjson.dumps({**fields, **_EMPTY, "subscriber": 0, "premium": False}).decode()


def _erase_journal(account_id: int, leads: Sequence[int], subscriber: int) -> None:
    """Organic entries have no lead, so their subscriber becomes 0."""
    for where in ((JournalEntry.lead_id.in_(leads),), _organic(account_id, subscriber)):
        db.session.execute(
            update(JournalEntry)
            .where(*where)
            .values(
                subscriber=func.coalesce(-JournalEntry.lead_id, 0),
                username="",
                link_key=None,  # a link may have been made for one click of one person
                link_name="",
            )
            .execution_options(synchronize_session=False)
        )


def _organic(account_id: int, subscriber: int) -> tuple[Any, ...]:
    own = select(Campaign.id).where(Campaign.account_id == account_id)
    return (
        JournalEntry.lead_id.is_(None),
        JournalEntry.campaign_id.in_(own),
        JournalEntry.subscriber == subscriber,
    )


def _erase_messages(bots: Sequence[int], subscriber: int) -> None:
    """Messages by the account's own bots; `erased_texts` finds those by bots given away."""
    theirs = (Message.bot_id.in_(bots), Message.chat_id == subscriber)
    db.session.execute(
        update(Message)
        .where(*theirs, Message.state == MessageState.WAITING)
        .values(state=MessageState.FAILED, reason=ERASED)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Message)
        .where(*theirs)
        .values(**erased_texts.EMPTY_MESSAGE)
        .execution_options(synchronize_session=False)
    )
