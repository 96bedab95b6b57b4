"""What the clock does: release leases, delete old rows, find work; and look after the bots."""

from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.config import current_settings
from app.database import advisory_locks
from app.extensions import db
from app.health_watch import HealthWatch
from app.queues import Queue
from app.services import old_rows, pending_work, postbacks, purge
from app.services.accounts import notifications
from app.services.bots import checks, webhooks
from app.services.campaigns import settlement
from app.services.clicks.invites import keeper
from app.services.conversions import cold
from app.services.exports import prepared, writer
from app.services.join_requests import retention
from app.services.join_requests.owner import reminders
from app.services.join_requests.telling import sender
from app.services.lists import row_counts
from app.services.service_bot import bot as service_bot
from app.services.service_bot import digest, sessions

log = structlog.get_logger()

RECONCILE_EVERY: Final = 60.0
FORGET_EVERY: Final = 60.0
FORGET_SECONDS: Final = 0.25  # of a tick; what is left goes on in the next
SERVICE_BOT_EVERY: Final = 60.0
COMPACT_SECONDS: Final = 0.5  # of a tick, for each tally at least one transaction
AGAIN_AFTER: Final = 5.0  # seconds, when Telegram refused the service bot

_folding: Final = HealthWatch("tallies.fold")
_last = {"reconcile": 0.0, "forget": 0.0, "service_bot": 0.0}


def tick(now: float) -> list[Queue]:
    """Do what is due at `now`, Unix seconds. Returns the queues that have work now. Commits."""
    work = pending_work.look(now)
    _forget(now)
    if _is_due("service_bot", now, SERVICE_BOT_EVERY):
        _last["service_bot"] = now
        _look_after_service_bot(now)
    has_work = {
        Queue.UPDATES: work.updates,
        Queue.POSTBACKS: work.postbacks,
        Queue.MESSAGES: work.messages,
    }
    if work.postbacks_to_sweep:
        has_work[Queue.POSTBACKS] |= postbacks.sweep(db.session.connection(), now) > 0
        db.session.commit()
    if work.decisions:
        sender.has_work.set()
    if work.invites:
        keeper.has_work.set()
    if work.transfers:
        settlement.settle(now)
    if work.exports:
        writer.has_work.set()
    if work.notices:
        has_work[Queue.MESSAGES] |= digest.flush(now) > 0
    if work.fresh_counts:
        _compact()
    if work.cold_conversions:
        has_work[Queue.POSTBACKS] |= cold.attach(now) > 0
    return [queue for queue, waiting in has_work.items() if waiting]


def _is_due(task: str, now: float, every: float) -> bool:
    """Whether a task was done so long ago, or in what is a future since the clock was set back."""
    return not 0 <= now - _last[task] < every


def _forget(now: float) -> None:
    """Delete what is old, once a minute, and at each tick while there is more of it. Commits."""
    if not _is_due("forget", now, FORGET_EVERY):
        return
    if old_rows.delete(now, current_settings(), FORGET_SECONDS):
        return
    _last["forget"] = now
    purge.purge(now)
    prepared.forget(now)
    cold.forget(now)
    retention.forget(now)


def look_after_bots(now: float) -> None:
    """Check the bots that are due at `now`, and correct webhooks that differ. Commits.

    It waits for Telegram, so the clock runs it beside its ticks.
    """
    checks.check(now)
    if _is_due("reconcile", now, RECONCILE_EVERY):
        _last["reconcile"] = now
        webhooks.reconcile()


def end_stalled() -> int:
    """End what holds a lock of ours and neither goes on nor ends by itself. Returns how many.

    The clock runs it beside its ticks: one of them may be waiting for what is held.
    """
    with db.engine.connect() as connection:
        ended = advisory_locks.end_stalled(connection)
    if ended:
        log.warning("database.stalled_ended", transactions=ended)
    return ended


def _compact() -> None:
    """Compact row counts. Totals are right without it, so a fault here must not stop the clock."""
    try:
        row_counts.compact(COMPACT_SECONDS)
    except SQLAlchemyError as error:
        db.session.rollback()
        _folding.update(well=False, error=type(error).__name__)
    else:
        _folding.update(well=True)


def _look_after_service_bot(now: float) -> None:
    """Keep the service bot connected, warn of plans that end, delete expired logins."""
    if not service_bot.ensure_connected():
        _last["service_bot"] = now - SERVICE_BOT_EVERY + AGAIN_AFTER
    notifications.plans_ending(now)
    reminders.remind(now)
    settlement.bring_stragglers(now)
    settlement.forget(now)
    db.session.commit()
    sessions.forget(now)
