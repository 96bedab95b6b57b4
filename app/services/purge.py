"""Deletes rows of deleted things that no history names, old notices, and logins past their undo.

A deleted bot, campaign or destination keeps its row for as long as a lead, a journal entry, a
postback, a message or an update tells of it. One without any is only churn. Each run looks at
a slice of each table by its key, so that it costs the same however many rows there are.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    Account,
    Bot,
    BotChat,
    BotFault,
    BotStatus,
    Campaign,
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    CampaignStatus,
    Click,
    ConversionDay,
    Destination,
    DestinationStatus,
    EventKey,
    Invite,
    JoinDay,
    JoinRequest,
    JournalEntry,
    Lead,
    Login,
    MediaFile,
    Message,
    Notice,
    Postback,
    ReplacedKey,
    RequestRule,
    Session,
    Source,
    SourceDay,
    SourceStatus,
    Transfer,
    Unreachable,
    Update,
)
from app.services.accounts import event_key_history, keys

log = structlog.get_logger()

#: How long a thing without history is kept from its creation, and a notice that cannot be sent.
DELETED_KEPT: Final = 30 * DAY
NOTICES_KEPT: Final = 2 * DAY
#: Rows of a table that one run looks at.
SLICE: Final = 1000

#: The last key that was looked at, by table.
_after: dict[str, int] = {}


def purge(now: float) -> int:
    """Delete what is due at `now` in one slice of each table. Commits. Returns how many rows."""
    steps = (_destinations, _sources, _campaigns, _bots, _notices, _logins)
    return sum(_attempt(step, now) for step in steps)


def _attempt(step: Callable[[float], int], now: float) -> int:
    """Run a step in a transaction of its own. What a fault keeps is tried again in the next round.

    Such a fault is a new row that names the old one and came in the same moment.
    """
    try:
        count = step(now)
        db.session.commit()
    except SQLAlchemyError:
        db.session.rollback()
        log.warning("rows.purge_failed", step=step.__name__.strip("_"), exc_info=True)
        return 0
    if count:
        log.info("rows.purged", step=step.__name__.strip("_"), count=count)
    return count


def _destinations(now: float) -> int:
    gone = and_(
        Destination.status == DestinationStatus.DELETED,
        Destination.created < now - DELETED_KEPT,
        ~_has(Postback.destination_id == Destination.id),
        ~_in_transfers(Destination.account_id),
    )
    ids = _slice(Destination, gone)
    _delete(Destination.id, ids)
    return len(ids)


def _sources(now: float) -> int:
    gone = and_(
        Source.status == SourceStatus.DELETED,
        Source.created < now - DELETED_KEPT,
        ~_has(Click.source_id == Source.id),
        ~_in_transfers(Source.account_id),
    )
    ids = _slice(Source, gone)
    for table in (SourceDay, Invite):
        _delete(table.source_id, ids)
    _delete(Source.id, ids)
    return len(ids)


def _campaigns(now: float) -> int:
    reported = exists().where(
        Destination.campaign_id == Campaign.id, _has(Postback.destination_id == Destination.id)
    )
    gone = and_(
        Campaign.status == CampaignStatus.DELETED,
        Campaign.created < now - DELETED_KEPT,
        ~_has(Lead.campaign_id == Campaign.id),
        ~_has(and_(JournalEntry.campaign_id == Campaign.id, JournalEntry.lead_id.is_(None))),
        ~_has(Postback.campaign_id == Campaign.id),
        ~_has(Source.campaign_id == Campaign.id),
        ~reported,
        ~_in_transfers(Campaign.account_id),
    )
    ids = _slice(Campaign, gone)
    for table in (
        CampaignDay,
        CampaignQuarter,
        CampaignCohort,
        ConversionDay,
        EventKey,
        JoinDay,
        JoinRequest,
        RequestRule,
        Destination,
    ):
        _delete(table.campaign_id, ids)
    _delete(Campaign.id, ids)
    return len(ids)


def _bots(now: float) -> int:
    named = (Campaign, Lead, JournalEntry, Message, Update)
    gone = and_(
        Bot.status == BotStatus.DELETED,
        Bot.created < now - DELETED_KEPT,
        *(~_has(table.bot_id == Bot.id) for table in named),
        ~_in_transfers(Bot.account_id),
    )
    ids = _slice(Bot, gone)
    for table in (BotChat, BotFault, Unreachable, MediaFile, Invite):
        _delete(table.bot_id, ids)
    _delete(Bot.id, ids)
    return len(ids)


def _notices(now: float) -> int:
    """Without a service bot, or for accounts with nobody behind them, none is ever sent."""
    ids = _slice(Notice, Notice.created < now - NOTICES_KEPT)
    _delete(Notice.id, ids)
    return len(ids)


def _logins(now: float) -> int:
    """Logins count from their last deed: a session, a key, or a transfer.

    While a key of theirs is in force, or may come into force again, the next deed can come.
    """
    since = now - keys.UNDO_SECONDS
    mine = (Account.id == Login.account_id, Account.key_login_id == Login.id)
    replaced = (ReplacedKey.account_id == Login.account_id, ReplacedKey.login_id == Login.id)
    transferred = or_(Transfer.settled.is_(None), Transfer.settled > since)
    over = and_(
        Login.used < since,
        ~_has(Session.login_id == Login.id),
        ~_has(and_(*mine)),
        ~_has(and_(*replaced)),
        ~event_key_history.has_deeds(since),
        ~_has(and_(Transfer.login_id == Login.id, transferred)),
    )
    ids = _slice(Login, over)
    _delete(Login.id, ids)
    return len(ids)


def _has(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(condition)


def _in_transfers(account: Any) -> ColumnElement[bool]:
    """Whether an account gave or got something lately: a reversal revives what was deleted."""
    return _has(or_(Transfer.account_id == account, Transfer.recipient_id == account))


def _slice(model: Any, condition: ColumnElement[bool]) -> Sequence[int]:
    """Lock the rows that meet `condition` in the next slice of a table; then begin again.

    Returns their ids.
    """
    name = model.__tablename__
    after = _after.get(name, 0)
    keys = select(model.id).where(model.id > after).order_by(model.id).limit(SLICE)
    last = db.session.scalars(keys).all()
    _after[name] = last[-1] if len(last) == SLICE else 0
    if not last:
        return []
    in_slice = model.id.between(last[0], last[-1])
    ids = db.session.scalars(select(model.id).where(in_slice, condition)).all()
    if not ids:  # as mostly, and nobody is kept from writing
        return ids
    # What somebody works with at this moment may come back to life by that, and is left alone.
    still = select(model.id).where(model.id.in_(ids), condition)
    return db.session.scalars(still.with_for_update(skip_locked=True)).all()


def _delete(column: InstrumentedAttribute[Any], ids: Sequence[int]) -> None:
    """Delete the rows whose `column` is one of `ids`; of none, as mostly, nothing is asked."""
    if ids:
        statement = delete(column.class_).where(column.in_(ids))
        db.session.execute(statement.execution_options(synchronize_session=False))
