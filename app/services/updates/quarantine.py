"""Quarantined updates: kept with the reason, shown to the operator, processed again on request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func, select, update

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


def count() -> int:
    """Return how many updates are quarantined."""
    return int(db.session.scalar(select(func.count()).where(_QUARANTINED)) or 0)


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
    which: list[ColumnElement[bool]] = [
        _QUARANTINED,
        _ROW.update_id.is_not(None),
        _ROW.received >= since,
    ]
    if number is not None:
        which.append(_ROW.id == number)
    waiting = update(_UPDATES).where(*which).values(state=UpdateState.WAITING, reason=None)
    numbers = db.session.scalars(waiting.returning(_ROW.id)).all()
    db.session.commit()
    if numbers:
        wakeup.remind(Queue.UPDATES)
    return len(numbers)
