"""The inbox: updates wait here as they came, and `leads.process` claims them in batches.

Those of webhooks are stored by `update_store`, those of long polling here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, select, text, update

from app.database.advisory_locks import AdvisoryLock, lock
from app.database.rows import is_postgresql, update_rows
from app.extensions import db, wakeup
from app.models import Bot, Update, UpdateState, table_of
from app.queues import Queue
from app.services.updates.new_update import insertion, new_update

_UPDATES: Final = table_of(Update)

# States are written into the text: a partial index is used only where the planner sees the value.
_WAITING: Final = f"state = {UpdateState.WAITING:d}"
_WAITING_BOTS: Final = f"""
    SELECT DISTINCT bot_id FROM (
        SELECT bot_id FROM telegram_update WHERE {_WAITING} ORDER BY id LIMIT :limit
    ) oldest
"""  # noqa: S608 - of our own constants
_SELECT_BOTS: Final = text(_WAITING_BOTS)

# Bots are locked by a statement of their own: the next one sees what their last owner committed.
_LOCK_BOTS: Final = text(f"""
    WITH waiting AS MATERIALIZED ({_WAITING_BOTS})
    SELECT bot_id FROM waiting WHERE pg_try_advisory_xact_lock(:locks + bot_id)
""")  # noqa: S608 - of our own constants

# `+ 0` keeps the unique index by bot out of the plan: it holds every update that is kept.
_SELECT_WAITING: Final = text(f"""
    SELECT id, bot_id, update_id, body FROM telegram_update
    WHERE {_WAITING} AND bot_id + 0 IN :bots ORDER BY id LIMIT :limit
""").bindparams(bindparam("bots", expanding=True))  # noqa: S608 - of our own constants


_EMPTY: Final = (
    update(_UPDATES).where(_UPDATES.c.id.in_(bindparam("ids", expanding=True))).values(body=b"")
)


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """One waiting update, claimed by a worker."""

    id: int
    bot_id: int
    update_id: int
    body: bytes


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """How the processing of one update ended."""

    id: int
    state: UpdateState
    reason: str | None = None


def store_updates(bot_id: int, bodies: Sequence[bytes], *, offset: int | None = None) -> None:
    """Store the updates of one poll, and the bot's next offset if there is one, in one commit."""
    with db.engine.begin() as connection:
        if bodies:
            rows = [new_update(bot_id, body) for body in bodies]
            statement = insertion(rows, postgresql=is_postgresql(connection))
            connection.exec_driver_sql(*statement)
        if offset is not None:
            connection.execute(update(Bot).where(Bot.id == bot_id).values(poll_offset=offset))
    if bodies:
        wakeup.remind(Queue.UPDATES)


def claim(connection: Connection, limit: int) -> list[StoredUpdate]:
    """Claim at most `limit` updates, the oldest first, of bots that no other worker has claimed.

    A bot belongs to one worker until the end of the transaction, so the
    updates of one person in one bot are never applied side by side.
    """
    statement = _LOCK_BOTS if is_postgresql(connection) else _SELECT_BOTS
    bots = list(connection.scalars(statement, {"limit": limit, "locks": int(AdvisoryLock.BOTS)}))
    if not bots:
        return []
    rows = connection.execute(_SELECT_WAITING, {"bots": bots, "limit": limit})
    return [StoredUpdate(*row) for row in rows]


def hold(connection: Connection, bots: Iterable[int]) -> None:
    """Keep updates of `bots` from being claimed until the transaction ends.

    Waits for workers that have claimed some.
    """
    for bot in sorted(set(bots)):
        lock(connection, AdvisoryLock.BOTS, bot)


def finish(connection: Connection, results: Sequence[UpdateResult]) -> None:
    """Write the results of claimed updates. No commit."""
    update_rows(
        connection,
        _UPDATES,
        ["state", "reason"],
        [(result.id, int(result.state), result.reason) for result in results],
        state=int(UpdateState.WAITING),
    )


def empty(connection: Connection, ids: Sequence[int]) -> None:
    """Drop the bodies of finished updates, and keep that they came. No commit."""
    if ids:
        connection.execute(_EMPTY, {"ids": list(ids)})


def waiting() -> bool:
    """Whether any update waits to be processed."""
    statement = select(_UPDATES.c.id).where(_UPDATES.c.state == UpdateState.WAITING).limit(1)
    return db.session.scalar(statement) is not None
