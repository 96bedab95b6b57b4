"""What the clock does: release leases, delete old rows, find work; and look after the bots."""

from __future__ import annotations

from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.exc import SQLAlchemyError

from app.domain.time_ranges import DAY
from app.extensions import db
from app.health_watch import HealthWatch
from app.models import UpdateState
from app.queues import Queue
from app.services import pending_work, postbacks, purge
from app.services.accounts import notifications
from app.services.bots import checks, webhooks
from app.services.campaigns import settlement
from app.services.conversions import cold, idempotency
from app.services.join_requests import retention
from app.services.join_requests.owner import reminders
from app.services.lists import row_counts
from app.services.service_bot import bot as service_bot
from app.services.service_bot import digest, sessions

#: Telegram repeats an update for at most 24 h; twice that is safe.
UPDATES_KEPT: Final = 3 * DAY
PARKED_KEPT: Final = 30 * DAY
#: As long as Meta keeps a click in a browser. Counters and leads keep the source.
CLICKS_KEPT: Final = 90 * DAY
#: Addresses and browsers of clicks: Meta takes no event that is older.
PRIVATE_KEPT: Final = 7 * DAY
CLICK_BATCH: Final = 2000
CLICK_BATCHES: Final = 20  # of one round: more than an account can add in it
RECONCILE_EVERY: Final = 60.0
FORGET_EVERY: Final = 60.0
SERVICE_BOT_EVERY: Final = 60.0
COMPACT_SECONDS: Final = 0.5  # of a tick, for each tally at least one transaction
AGAIN_AFTER: Final = 5.0  # seconds, when Telegram refused the service bot

_FORGET: Final = text(f"""
    DELETE FROM telegram_update WHERE id IN (
        SELECT id FROM telegram_update
        WHERE received < :old AND (
            state IN ({UpdateState.DONE:d}, {UpdateState.IGNORED:d})
            OR (state = {UpdateState.QUARANTINED:d} AND received < :very_old)
        )
        ORDER BY received LIMIT 2000
    )
""")  # noqa: S608 - our own numbers

_FORGET_CLICKS: Final = text(f"""
    DELETE FROM click WHERE id IN (
        SELECT id FROM click WHERE created < :old ORDER BY created LIMIT {CLICK_BATCH}
    )
""")  # noqa: S608 - our own number

#: Worded as the partial index is, so that only rows with something to forget are looked at.
_FORGET_PRIVATE: Final = text(f"""
    UPDATE click SET ip = NULL, ua = NULL WHERE id IN (
        SELECT id FROM click WHERE (ip IS NOT NULL OR ua IS NOT NULL) AND created < :old
        ORDER BY created LIMIT {CLICK_BATCH}
    )
""")  # noqa: S608 - our own number

_folding: Final = HealthWatch("tallies.fold")
_last = {"reconcile": 0.0, "forget": 0.0, "service_bot": 0.0}


def tick(now: float) -> list[Queue]:
    """Do what is due at `now`, Unix seconds. Returns the queues that have work now. Commits."""
    work = pending_work.look(now)
    _forget(now)
    if now - _last["service_bot"] >= SERVICE_BOT_EVERY:
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
    if work.transfers:
        settlement.settle(now)
    if work.notices:
        has_work[Queue.MESSAGES] |= digest.flush(now) > 0
    if work.fresh_counts:
        _compact()
    if work.cold_conversions:
        has_work[Queue.POSTBACKS] |= cold.attach(now) > 0
    return [queue for queue, waiting in has_work.items() if waiting]


def _forget(now: float) -> None:
    """Delete what is old, once a minute. Commits."""
    if now - _last["forget"] < FORGET_EVERY:
        return
    _last["forget"] = now
    limits = {"old": now - UPDATES_KEPT, "very_old": now - PARKED_KEPT}
    db.session.connection().execute(_FORGET, limits)
    db.session.commit()
    _forget_clicks(_FORGET_PRIVATE, now - PRIVATE_KEPT)
    _forget_clicks(_FORGET_CLICKS, now - CLICKS_KEPT)
    purge.purge(now)
    cold.forget(now)
    retention.forget(now)
    idempotency.forget(now)
    db.session.commit()


def look_after_bots(now: float) -> None:
    """Check the bots that are due at `now`, and correct webhooks that differ. Commits.

    It waits for Telegram, so the clock runs it beside its ticks.
    """
    checks.check(now)
    if now - _last["reconcile"] >= RECONCILE_EVERY:
        _last["reconcile"] = now
        webhooks.reconcile()


def _forget_clicks(statement: TextClause, old: float) -> None:
    """Execute `statement` for clicks older than `old`, Unix seconds. Commits after each batch."""
    for _ in range(CLICK_BATCHES):
        count = db.session.connection().execute(statement, {"old": old}).rowcount
        db.session.commit()
        if count < CLICK_BATCH:
            return


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
