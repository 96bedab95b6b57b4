"""What the clock does on every tick: sweep, forget, reconcile, look for work."""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.queues import Queue
from app.services import messages, postbacks
from app.services.accounts import notifications
from app.services.bots import bots
from app.services.lists import row_counts
from app.services.service_bot import bot as service_bot
from app.services.service_bot import digest, sessions
from app.services.updates import inbox

log = structlog.get_logger()

#: Telegram repeats an update for at most 24 h; twice that is safe.
UPDATES_KEPT: Final = 3 * 86400
PARKED_KEPT: Final = 30 * 86400
RECONCILE_EVERY: Final = 60.0
FORGET_EVERY: Final = 60.0
PEOPLE_EVERY: Final = 60.0
COMPACT_SECONDS: Final = 0.5  # of a tick, for each tally at least one transaction
AGAIN_AFTER: Final = 5.0  # when Telegram would not have the service bot

_FORGET = text("""
    DELETE FROM telegram_update WHERE id IN (
        SELECT id FROM telegram_update
        WHERE received < :old AND (state IN (1, 2) OR (state = 3 AND received < :very_old))
        ORDER BY received LIMIT 2000
    )
""")

_last = {"reconcile": 0.0, "forget": 0.0, "people": 0.0}


def tick(now: float) -> list[Queue]:
    """Sweep what needs sweeping; returns the queues that have work now."""
    connection = db.session.connection()
    postbacks.sweep(connection, now)
    if now - _last["forget"] >= FORGET_EVERY:
        _last["forget"] = now
        terms = {"old": now - UPDATES_KEPT, "very_old": now - PARKED_KEPT}
        connection.execute(_FORGET, terms)
    db.session.commit()
    if now - _last["reconcile"] >= RECONCILE_EVERY:
        _last["reconcile"] = now
        _reconcile()
    if now - _last["people"] >= PEOPLE_EVERY:
        _last["people"] = now
        _look_after_people(now)
    digest.flush(now)
    _fold()
    found = {
        Queue.UPDATES: inbox.waiting(),
        Queue.POSTBACKS: postbacks.due(now),
        Queue.MESSAGES: messages.due(now),
    }
    db.session.rollback()
    return [queue for queue, has_work in found.items() if has_work]


def _reconcile() -> None:
    try:
        bots.reconcile()
    except SQLAlchemyError:
        db.session.rollback()
        log.warning("bots.reconcile_failed", exc_info=True)


def _fold() -> None:
    """Totals are right without it; no fault or backlog of it may keep the bells silent."""
    try:
        row_counts.compact(COMPACT_SECONDS)
    except SQLAlchemyError:
        db.session.rollback()
        log.warning("tallies.fold_failed", exc_info=True)


def _look_after_people(now: float) -> None:
    """The service bot, plans that end, and logins that have run out."""
    if not service_bot.ensure_connected():
        _last["people"] = now - PEOPLE_EVERY + AGAIN_AFTER
    notifications.plans_ending(now)
    db.session.commit()
    sessions.forget(now)
