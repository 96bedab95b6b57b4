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
from app.domain.telegram.payments import Charged, Checkout, SupportAsked
from app.domain.telegram.updates import (
    ChatMoved,
    Happening,
    Ignored,
    Pressed,
    Reachable,
    RightsChanged,
)
from app.extensions import db, doorbell
from app.models import UpdateState
from app.queues import Queue
from app.services.billing import stars
from app.services.bots import bots
from app.services.leads.batch import Book
from app.services.leads.effects import Reported
from app.services.messages import reachability
from app.services.messages.callbacks import TOASTS
from app.services.service_bot import bot as service_bot
from app.services.updates import inbox
from app.services.updates.inbox import Ending, Received

log = structlog.get_logger()

BATCH: Final = 400


@dataclass(frozen=True, slots=True)
class Read:
    """An update of the batch and what it says."""

    received: Received
    says: updates.Reading


def process_updates(
    *,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
    pulse: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Process until none waits, `seconds` are over or `stop()` says so.

    Returns how many updates ended. One that makes the batch fail is found by
    going one by one, and parked with its traceback.
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
            count = _park_culprit(size)
            suspects = BATCH + 1 if size > 1 else suspects
        done += count
        if not suspects and count < size:
            break  # who came meanwhile has rung the bell
        suspects = max(0, suspects - 1)
    return done


def process_batch(size: int, now: float) -> int:
    """One transaction over at most `size` updates. Returns how many it ended."""
    TOASTS.forget()  # what a batch that was rolled back has left
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
    TOASTS.send()
    return len(received)


def _read(received: Sequence[Received]) -> tuple[list[Read], list[Ending]]:
    reads, endings = [], []
    for one in received:
        try:
            says = updates.read(updates.decode(one.body))
        # Our own bug must end in the parked update, not in a standstill.
        except Exception:  # noqa: BLE001
            endings.append(Ending(one.id, UpdateState.PARKED, _trace()))
            continue
        if isinstance(says, Ignored):
            endings.append(Ending(one.id, UpdateState.IGNORED, says.reason))
        else:
            reads.append(Read(one, says))
    return reads, endings


def _decide(
    connection: Connection, reads: Sequence[Read], endings: list[Ending], now: float
) -> Reported:
    """First what changes chats and people, then what moves leads."""
    happenings = []
    for read in reads:
        if isinstance(read.says, Happening):
            happenings.append((read.received, read.says))
        else:
            _note(read.received.bot_id, read.says, now)
            endings.append(Ending(read.received.id, UpdateState.DONE))
    reachability.are_back(
        connection,
        [(one.bot_id, says.person.id) for one, says in happenings if says.chat is None],
    )
    db.session.flush()
    book = Book(connection, {one.bot_id for one, _ in happenings}, now)
    concerned, unclaimed = [], []
    for one, says in happenings:
        campaign = book.campaign_of(one.bot_id, says)
        if campaign is None:
            unclaimed.append((one, says))
        else:
            concerned.append((one, campaign, says))
    book.open([(campaign, says) for _, campaign, says in concerned])
    for one, campaign, says in concerned:
        endings.append(_advance(book, one, campaign, says))
    reported, spoken = book.write(now), _hear(unclaimed, endings, now)
    return Reported(reported.postbacks, reported.messages + spoken)


def _hear(
    unclaimed: Sequence[tuple[Received, Happening]], endings: list[Ending], now: float
) -> int:
    """What belongs to no campaign may be meant for the service bot. How often it was."""
    starts = [(one, says) for one, says in unclaimed if says.chat is None]
    heard = service_bot.hear([(one.bot_id, says) for one, says in starts], now)
    met = {one.id for (one, _), was_met in zip(starts, heard, strict=True) if was_met}
    nobodys = Ending(0, UpdateState.IGNORED, "no living campaign for it")
    for one, _ in unclaimed:
        done = Ending(one.id, UpdateState.DONE)
        endings.append(done if one.id in met else replace(nobodys, id=one.id))
    return len(met)


def _note(bot_id: int, says: updates.Reading, now: float) -> None:
    match says:
        case RightsChanged():
            bots.rights_changed(bot_id, says)
        case ChatMoved(old, new):
            bots.chat_moved(bot_id, old, new)
        case Reachable():
            reachability.reachable(bot_id, says)
        case Pressed():
            service_bot.pressed(bot_id, says, now)
        case Checkout() | Charged() | SupportAsked():
            stars.told(bot_id, says, now)


def _advance(book: Book, one: Received, campaign: Row[Any], says: Happening) -> Ending:
    try:
        book.apply(campaign, says)
    except Exception:  # noqa: BLE001 - as in _read
        return Ending(one.id, UpdateState.PARKED, _trace())
    return Ending(one.id, UpdateState.DONE)


def _park_culprit(size: int) -> int:
    """If the failed batch was a single update, park it. Returns how many ended."""
    reason = _trace()
    if size > 1:
        log.warning("updates.batch_failed", fault=reason.splitlines()[-1])
        return 0
    connection = db.session.connection()
    for one in inbox.claim(connection, 1):
        inbox.finish(connection, [Ending(one.id, UpdateState.PARKED, reason)])
        log.error("update.parked", update=one.id, bot=one.bot_id, fault=reason)
    db.session.commit()
    return 1


def _trace() -> str:
    return traceback.format_exc(limit=-8).replace("\x00", "\ufffd")[-4000:]
