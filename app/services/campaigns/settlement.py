"""The clock's part of transfers: what is due takes effect, or is reversed; old ones are deleted."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import orjson
import structlog
from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from app.database.connections import ONLY_READS, let_others_write
from app.domain.time_ranges import DAY
from app.errors import ApiError
from app.extensions import db
from app.models import Campaign, Transfer, TransferState
from app.services.accounts import notifications
from app.services.campaigns import bulk, handover, relocation, reversal
from app.services.updates import inbox

log = structlog.get_logger()

_MANY: Final = 20  # of one call; the others a second later
#: Until one that could not be settled is tried again: it must not stand before the others.
_AGAIN_SECONDS: Final = 600.0
#: Longer than a login can be undone.
_KEPT_SECONDS: Final = 30 * DAY
#: Of one call, for the histories that follow their campaigns, or that are deleted without them.
_CLEAR_SECONDS: Final = 0.3
#: A history of so few parts follows in one call, however long that takes.
_SHORT: Final = 10
#: How long after a transfer clicks may still come for whoever had the source before.
_STRAGGLERS_SECONDS: Final = 180.0


def settle(now: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Let due transfers take effect, and reverse those of undone logins. Commits.

    A long history is moved or deleted over many calls. Returns how many were settled. `clock`
    returns seconds that only grow.
    """
    until = clock() + _CLEAR_SECONDS
    due = (
        Transfer.state.in_((TransferState.PENDING, TransferState.REVERSING)),
        Transfer.due <= now,
    )
    waiting = db.session.execute(
        select(Transfer.id, Transfer.state).where(*due).order_by(Transfer.due).limit(_MANY)
    ).all()
    db.session.rollback()

    def is_enough() -> bool:
        return clock() >= until

    count = sum(_settle(row.id, TransferState(row.state), now, is_enough) for row in waiting)
    _move_histories(is_enough, clock)
    return count


def bring_stragglers(now: float) -> None:
    """Reassign clicks that were stored while their source went to another account. Commits.

    `clicks.store` waits for no transfer, so a click of that moment belongs to the old account.
    """
    lately = select(Transfer.moved).where(
        Transfer.settled > now - _STRAGGLERS_SECONDS, Transfer.progress == ""
    )
    since = now - 2 * _STRAGGLERS_SECONDS
    for moved in db.session.scalars(lately).all():
        ids = [id_ for id_, _, _ in orjson.loads(moved)]
        query = select(Campaign.account_id, Campaign.id).where(Campaign.id.in_(ids))
        by_owner: dict[int, list[int]] = {}
        for row in db.session.execute(query):
            by_owner.setdefault(row.account_id, []).append(row.id)
        db.session.commit()
        for owner, campaigns in by_owner.items():
            reading = db.session.connection(execution_options={ONLY_READS: True})
            clicks = bulk.late_clicks(reading, campaigns, owner, since)
            db.session.rollback()
            if clicks:
                bulk.reassign_clicks(db.session.connection(), clicks, owner)
                db.session.commit()


def forget(now: float) -> None:
    """Delete transfers that were settled long ago. No commit."""
    db.session.execute(delete(Transfer).where(Transfer.settled < now - _KEPT_SECONDS))


def is_moving(account_id: int) -> bool:
    """Whether a history comes to an account or goes from it at this moment."""
    mine = or_(Transfer.account_id == account_id, Transfer.recipient_id == account_id)
    moving = select(Transfer.id).where(mine, text("progress <> ''"))
    return db.session.scalar(moving.limit(1)) is not None


def _move_histories(is_enough: Callable[[], bool], clock: Callable[[], float]) -> None:
    """Move a part of each history that has to follow its campaigns, and so on until it is enough.

    Whose turn comes first is left to chance: the longest must not go before all others.
    """
    moving = select(Transfer.id).where(text("progress <> ''")).order_by(func.random())
    ids: Sequence[int] = db.session.scalars(moving.limit(_MANY)).all()
    db.session.rollback()
    count = 0
    while ids:
        left = []
        for id_ in ids:
            began = clock()
            if _move_part(id_):
                left.append(id_)
            let_others_write(db.engine, clock() - began)
            count += 1
            if count >= _SHORT and is_enough():
                return
        ids = left


def _move_part(transfer_id: int) -> bool:
    """Move one part in a transaction of its own. False if nothing is left, or for this time."""
    progress = select(Transfer.progress).where(Transfer.id == transfer_id)
    try:
        before = db.session.scalar(progress)
        if not before:
            return False
        connection = db.session.connection()
        inbox.hold(connection, relocation.bots_of(before))
        if db.session.scalar(progress.with_for_update()) != before:
            db.session.rollback()
            return False  # it was reversed at this moment; the next call finds that
        left = relocation.move_part(connection, before)
        db.session.execute(update(Transfer).where(Transfer.id == transfer_id).values(progress=left))
        db.session.commit()
    except SQLAlchemyError:
        db.session.rollback()
        log.warning("transfer.part_not_moved", transfer=transfer_id, exc_info=True)
        return False
    return bool(left)


def _settle(
    transfer_id: int, state: TransferState, now: float, is_enough: Callable[[], bool]
) -> bool:
    step = handover.take_effect if state is TransferState.PENDING else reversal.reverse
    transfer = db.session.get(Transfer, transfer_id)
    if transfer is None:
        return False  # called off a moment ago
    try:
        if state is TransferState.PENDING and not transfer.with_leads:
            began = time.monotonic()
            while handover.clear(transfer):
                transfer.due = now  # behind the others that wait
                db.session.commit()
                let_others_write(db.engine, time.monotonic() - began)
                if is_enough():
                    return False
                began = time.monotonic()
        settled = step(transfer, now)
    except ApiError as error:
        db.session.rollback()
        settled = _fail(transfer_id, error, now)
    except SQLAlchemyError:
        db.session.rollback()
        log.warning("transfer.not_settled", transfer=transfer_id, exc_info=True)
        settled = _postpone(transfer_id, now)
    db.session.commit()
    return settled


def _postpone(transfer_id: int, now: float) -> bool:
    """Try it again later. Always False: it is not settled."""
    db.session.execute(
        update(Transfer).where(Transfer.id == transfer_id).values(due=now + _AGAIN_SECONDS)
    )
    return False


def _fail(transfer_id: int, error: ApiError, now: float) -> bool:
    transfer = db.session.get(Transfer, transfer_id)
    if transfer is None or not handover.change_state(
        transfer, TransferState.PENDING, TransferState.FAILED, now
    ):
        return _postpone(transfer_id, now)
    transfer.reason = error.code
    about = handover.notice_values(transfer) | {"reason": error.code}
    notifications.transfer(transfer.account_id, "failed", about, now)
    log.info("transfer.failed", transfer=transfer_id, reason=error.code)
    return True
