"""The inbox: an update is ours once this module has committed it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, select, text, update
from sqlalchemy.types import LargeBinary

from app.database import is_postgresql, lock, update_rows
from app.domain.telegram import updates
from app.extensions import db, doorbell
from app.models import Bot, Update, UpdateState, table_of
from app.queues import Queue
from app.services.updates.group_commit import GroupCommit

_UPDATES = table_of(Update)
_KEPT_OF_A_FLOOD = 2048  # bytes of a body too large to be an update
_LOCKS = 0x6761 << 32  # advisory locks of bots: this plus the bot's id

_STORE = text(
    "INSERT INTO telegram_update (bot_id, update_id, body, received, state, reason)"
    " VALUES (:bot_id, :update_id, :body, :received, :state, :reason)"
    " ON CONFLICT (bot_id, update_id) DO NOTHING"
).bindparams(bindparam("body", type_=LargeBinary))


_BOTS_IN_LINE = text("""
    SELECT DISTINCT bot_id FROM (
        SELECT bot_id FROM telegram_update WHERE state = 0 ORDER BY id LIMIT :many
    ) oldest
""")

# In a statement of its own: what the lock waited for must be seen by the next.
_LOCK_BOTS = text(f"""
    WITH in_line AS MATERIALIZED ({_BOTS_IN_LINE.text})
    SELECT bot_id FROM in_line WHERE pg_try_advisory_xact_lock(:locks + bot_id)
""")  # noqa: S608 - of our own constants

_IN_LINE = text("""
    SELECT id, bot_id, update_id, body FROM telegram_update
    WHERE state = 0 AND bot_id IN :bots ORDER BY id LIMIT :many
""").bindparams(bindparam("bots", expanding=True))


class _Row(NamedTuple):
    """The columns of an update that has just come."""

    bot_id: int
    update_id: int | None
    body: bytes
    received: float
    state: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """One stored update in the hand of a worker."""

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


def store_update(bot_id: int, body: bytes) -> None:
    """Store one body, once per (bot, update id). Committed when this returns."""
    _inbox.put(_row(bot_id, body))
    doorbell.remind(Queue.UPDATES)


def _store_together(rows: Sequence[_Row]) -> None:
    """One round trip for all, and on PostgreSQL without BEGIN and COMMIT around it."""
    engine = db.engine
    if engine.dialect.name == "postgresql":
        engine = _autocommit(engine)
    with engine.begin() as connection:
        connection.execute(_STORE, [row._asdict() for row in rows])


@lru_cache(maxsize=1)
def _autocommit(engine: Engine) -> Engine:
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def store_updates(bot_id: int, bodies: Sequence[bytes], *, offset: int | None = None) -> None:
    """Store what a poll brought, and the bot's next offset, in one commit."""
    with db.engine.begin() as connection:
        if bodies:
            connection.execute(_STORE, [_row(bot_id, body)._asdict() for body in bodies])
        if offset is not None:
            connection.execute(update(Bot).where(Bot.id == bot_id).values(poll_offset=offset))
    if bodies:
        doorbell.remind(Queue.UPDATES)


def quarantine_oversized(bot_id: int, beginning: bytes) -> None:
    """Keep the beginning of a body too large to be an update."""
    row = _quarantined(bot_id, beginning[:_KEPT_OF_A_FLOOD], "larger than an update can be")
    with db.engine.begin() as connection:
        connection.execute(_STORE, row._asdict())


def claim(connection: Connection, limit: int) -> list[StoredUpdate]:
    """Take the oldest waiting updates of bots that no other worker has in hand.

    A bot belongs to one worker until the end of its transaction, so updates
    of one person in one bot are applied one at a time.
    """
    statement = _LOCK_BOTS if is_postgresql(connection) else _BOTS_IN_LINE
    bots = list(connection.scalars(statement, {"many": limit, "locks": _LOCKS}))
    if not bots:
        return []
    rows = connection.execute(_IN_LINE, {"bots": bots, "many": limit})
    return [StoredUpdate(*row) for row in rows]


def hold(connection: Connection, bots: Iterable[int]) -> None:
    """Wait for whoever has these bots in hand, and keep them until the transaction ends."""
    for bot in sorted(set(bots)):
        lock(connection, _LOCKS + bot)


def finish(connection: Connection, endings: Sequence[UpdateResult]) -> None:
    """Record how updates ended. Rolls back with the rest if the rest does."""
    update_rows(
        connection,
        _UPDATES,
        ["state", "reason"],
        [(ending.id, int(ending.state), ending.reason) for ending in endings],
    )


def waiting() -> bool:
    """Whether any update waits to be processed."""
    one = select(_UPDATES.c.id).where(_UPDATES.c.state == UpdateState.WAITING).limit(1)
    return db.session.scalar(one) is not None


def _row(bot_id: int, body: bytes) -> _Row:
    try:
        update_id = updates.decode(body)["update_id"]
    except updates.Malformed as error:
        return _quarantined(bot_id, body, str(error))
    return _Row(bot_id, update_id, body, time.time(), int(UpdateState.WAITING), None)


def _quarantined(bot_id: int, body: bytes, reason: str) -> _Row:
    return _Row(bot_id, None, body, time.time(), int(UpdateState.QUARANTINED), reason)


_inbox: Final = GroupCommit(_store_together)
