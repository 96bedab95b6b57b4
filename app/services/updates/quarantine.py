"""Quarantined updates: kept with the reason, shown to the operator, processed again on request."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, delete, func, select, update

from app.errors import NotFound
from app.extensions import db, wakeup
from app.models import Update, UpdateState, table_of
from app.queues import Queue

_UPDATES: Final = table_of(Update)
_ROW: Final = _UPDATES.c
_QUARANTINED: Final = _ROW.state == UpdateState.QUARANTINED


class QuarantinedUpdate(NamedTuple):
    """`received` is in Unix seconds; `update_id` is None for a body without a usable one."""

    id: int
    bot_id: int
    update_id: int | None
    received: float
    reason: str
    body: bytes


class QuarantineCount(NamedTuple):
    """How many updates are quarantined; `unusable` of them have no usable update id."""

    all: int
    unusable: int


def count() -> QuarantineCount:
    """Return how many updates are quarantined, and how many of them cannot be requeued."""
    usable = func.count(_ROW.update_id)
    every, requeueable = db.session.execute(select(func.count(), usable).where(_QUARANTINED)).one()
    return QuarantineCount(every, every - requeueable)


def newest(limit: int, since: float = 0) -> Sequence[QuarantinedUpdate]:
    """Return at most `limit` quarantined updates received from `since` on, the newest first."""
    columns = [_ROW[name] for name in QuarantinedUpdate._fields]
    query = select(*columns).where(_QUARANTINED, _ROW.received >= since)
    rows = db.session.execute(query.order_by(_ROW.id.desc()).limit(limit))
    return [QuarantinedUpdate(*row) for row in rows]


def find(number: int) -> QuarantinedUpdate:
    """Return one quarantined update. Raises NotFound."""
    columns = [_ROW[name] for name in QuarantinedUpdate._fields]
    row = db.session.execute(select(*columns).where(_QUARANTINED, _ROW.id == number)).first()
    if row is None:
        raise NotFound
    return QuarantinedUpdate(*row)


def requeue(number: int | None = None, since: float = 0) -> int:
    """Let one update, or all received from `since` on, be processed again. Returns how many.

    A body without a usable update id cannot be applied, and stays.
    """
    conditions = [*_chosen(number, since), _ROW.update_id.is_not(None)]
    waiting = update(_UPDATES).where(*conditions).values(state=UpdateState.WAITING, reason=None)
    numbers = db.session.scalars(waiting.returning(_ROW.id)).all()
    db.session.commit()
    if numbers:
        wakeup.remind(Queue.UPDATES)
    return len(numbers)


def discard(number: int | None = None, since: float = 0, *, unusable: bool = False) -> int:
    """Delete one quarantined update, or all received from `since` on. Returns how many.

    With `unusable` only those without a usable update id, which cannot be requeued.
    """
    conditions = _chosen(number, since)
    if unusable:
        conditions.append(_ROW.update_id.is_(None))
    numbers = db.session.scalars(delete(_UPDATES).where(*conditions).returning(_ROW.id)).all()
    db.session.commit()
    return len(numbers)


def _chosen(number: int | None, since: float) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = [_QUARANTINED, _ROW.received >= since]
    return chosen if number is None else [*chosen, _ROW.id == number]
