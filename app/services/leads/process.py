"""From stored updates to decided leads: claim a batch, advance, stage, commit once."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row
from sqlalchemy.exc import InterfaceError, OperationalError

from app.domain.telegram import updates
from app.domain.telegram.payments import PreCheckout, StarsPayment, SupportAsked
from app.domain.telegram.updates import (
    BotBlockedChanged,
    ButtonPressed,
    ChatMoved,
    Ignored,
    LeadEvent,
    RightsChanged,
)
from app.extensions import db, doorbell
from app.models import UpdateState
from app.queues import Queue
from app.services.billing import stars
from app.services.bots import bots
from app.services.leads.batch import LeadBatch
from app.services.leads.effects import StagedCounts
from app.services.messages import reachability
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.services.service_bot import bot as service_bot
from app.services.updates import inbox
from app.services.updates.inbox import StoredUpdate, UpdateResult

log = structlog.get_logger()

BATCH: Final = 400


@dataclass(frozen=True, slots=True)
class Read:
    """An update of the batch and what it says."""

    received: StoredUpdate
    says: updates.ParsedUpdate


def process_updates(
    *,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
    pulse: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Process until none waits, `seconds` are over or `stop()` says so.

    Returns how many updates ended. One that makes the batch fail is found by
    going one by one, and quarantined with its traceback.
    """
    end = clock() + seconds
    done = 0
    suspects = 0  # how many updates are still to be tried alone
    while not stop() and clock() < end:
        pulse()
        size = 1 if suspects else BATCH
        try:
            count = process_batch(size, clock())
        except (OperationalError, InterfaceError):
            db.session.rollback()
            raise
        # Any other fault belongs to an update, and must not stop the others.
        except Exception:  # noqa: BLE001
            db.session.rollback()
            count = _quarantine_culprit(size)
            suspects = BATCH + 1 if size > 1 else suspects
        done += count
        if not suspects and count < size:
            break  # who came meanwhile has rung the bell
        suspects = max(0, suspects - 1)
    return done


def process_batch(size: int, now: float) -> int:
    """One transaction over at most `size` updates. Returns how many it ended."""
    CALLBACK_ANSWERS.forget()  # what a batch that was rolled back has left
    connection = db.session.connection()
    received = inbox.claim(connection, size)
    if not received:
        db.session.rollback()
        return 0
    received.sort(key=lambda one: (one.bot_id, one.update_id))
    reads, endings = _read(received)
    reported = _decide(connection, reads, endings, now)
    inbox.finish(connection, endings)
    db.session.commit()
    if reported.postbacks:
        doorbell.remind(Queue.POSTBACKS)
    if reported.messages:
        doorbell.remind(Queue.MESSAGES)
    CALLBACK_ANSWERS.send()
    return len(received)


def _read(received: Sequence[StoredUpdate]) -> tuple[list[Read], list[UpdateResult]]:
    reads, endings = [], []
    for one in received:
        try:
            says = updates.parse(updates.decode(one.body))
        # Our own bug must end in a quarantined update, not in a standstill.
        except Exception:  # noqa: BLE001
            endings.append(UpdateResult(one.id, UpdateState.QUARANTINED, _trace()))
            continue
        if isinstance(says, Ignored):
            endings.append(UpdateResult(one.id, UpdateState.IGNORED, says.reason))
        else:
            reads.append(Read(one, says))
    return reads, endings


def _decide(
    connection: Connection, reads: Sequence[Read], endings: list[UpdateResult], now: float
) -> StagedCounts:
    """First what changes chats and people, then what moves leads."""
    events = []
    for read in reads:
        if isinstance(read.says, LeadEvent):
            events.append((read.received, read.says))
        else:
            _note(read.received.bot_id, read.says, now)
            endings.append(UpdateResult(read.received.id, UpdateState.DONE))
    reachability.mark_reachable(
        connection,
        [(one.bot_id, says.person.id) for one, says in events if says.chat is None],
    )
    db.session.flush()
    batch = LeadBatch(connection, {one.bot_id for one, _ in events}, now)
    concerned, unclaimed = [], []
    for one, says in events:
        campaign = batch.campaign_of(one.bot_id, says)
        if campaign is None:
            unclaimed.append((one, says))
        else:
            concerned.append((one, campaign, says))
    batch.load([(campaign, says) for _, campaign, says in concerned])
    for one, campaign, says in concerned:
        endings.append(_advance(batch, one, campaign, says))
    reported, spoken = batch.save(now), _hear(unclaimed, endings, now)
    return StagedCounts(reported.postbacks, reported.messages + spoken)


def _hear(
    unclaimed: Sequence[tuple[StoredUpdate, LeadEvent]], endings: list[UpdateResult], now: float
) -> int:
    """What belongs to no campaign may be meant for the service bot. How often it was."""
    starts = [(one, says) for one, says in unclaimed if says.chat is None]
    heard = service_bot.on_start([(one.bot_id, says) for one, says in starts], now)
    met = {one.id for (one, _), was_met in zip(starts, heard, strict=True) if was_met}
    nobodys = UpdateResult(0, UpdateState.IGNORED, "no living campaign for it")
    for one, _ in unclaimed:
        done = UpdateResult(one.id, UpdateState.DONE)
        endings.append(done if one.id in met else replace(nobodys, id=one.id))
    return len(met)


def _note(bot_id: int, says: updates.ParsedUpdate, now: float) -> None:
    match says:
        case RightsChanged():
            bots.rights_changed(bot_id, says)
        case ChatMoved(old, new):
            bots.chat_moved(bot_id, old, new)
        case BotBlockedChanged():
            reachability.record_block_change(bot_id, says)
        case ButtonPressed():
            service_bot.on_callback(bot_id, says, now)
        case PreCheckout() | StarsPayment() | SupportAsked():
            stars.on_payment_update(bot_id, says, now)


def _advance(
    batch: LeadBatch, one: StoredUpdate, campaign: Row[Any], says: LeadEvent
) -> UpdateResult:
    try:
        batch.apply(campaign, says)
    except Exception:  # noqa: BLE001 - as in _read
        return UpdateResult(one.id, UpdateState.QUARANTINED, _trace())
    return UpdateResult(one.id, UpdateState.DONE)


def _quarantine_culprit(size: int) -> int:
    """If the failed batch was a single update, quarantine it. Returns how many ended."""
    reason = _trace()
    if size > 1:
        log.warning("updates.batch_failed", fault=reason.splitlines()[-1])
        return 0
    connection = db.session.connection()
    for one in inbox.claim(connection, 1):
        inbox.finish(connection, [UpdateResult(one.id, UpdateState.QUARANTINED, reason)])
        log.error("update.quarantined", update=one.id, bot=one.bot_id, fault=reason)
    db.session.commit()
    return 1


def _trace() -> str:
    return traceback.format_exc(limit=-8).replace("\x00", "\ufffd")[-4000:]
