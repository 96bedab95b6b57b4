"""The inbox: updates wait here as they came, and `leads.process` claims them in batches.

Those of webhooks are stored by `update_store`, those of long polling here.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from app.database.advisory_locks import SHORT_IDLE_SQL, AdvisoryLock, lock
from app.database.connections import begin_writing
from app.database.direct import fetch
from app.database.rows import is_postgresql, loose_index_scan, update_rows
from app.extensions import db, wakeup
from app.models import Bot, Update, UpdateState, table_of
from app.observability.traces import traces
from app.queues import Queue
from app.services.updates.new_update import insertion, new_update

_UPDATES: Final = table_of(Update)
#: Bots that one claim takes from: with two updates of each it is as large as it may be.
_ROUND: Final = 200

# States are written into the text: a partial index is used only where the planner sees the value.
_WAITING: Final = f"state = {UpdateState.WAITING:d}"
# Bots are locked by a statement of their own: the next one sees what their last owner committed.
_NEXT_BOTS: Final = f"""
    WITH RECURSIVE {loose_index_scan("telegram_update", "bot_id", _WAITING, after=":after")},
    waiting AS MATERIALIZED (SELECT id FROM next WHERE id IS NOT NULL LIMIT :most)
    SELECT id, {{is_ours}} AS is_ours{{more}} FROM waiting ORDER BY id
"""  # noqa: S608 - of our own constants
_LOCK_BOTS_POSTGRESQL: Final = text(
    _NEXT_BOTS.format(is_ours="pg_try_advisory_xact_lock(:locks + id)", more=f", {SHORT_IDLE_SQL}")
)
_LOCK_BOTS_SQLITE: Final = text(_NEXT_BOTS.format(is_ours=":locks IS NOT NULL", more=""))
_LOCK_THESE: Final = text(
    f"SELECT id, {SHORT_IDLE_SQL} FROM unnest(:bots) AS bot (id)"  # noqa: S608 - our own constant
    " WHERE pg_try_advisory_xact_lock(:locks + id)"
).bindparams(bindparam("bots", type_=ARRAY(BigInteger)))

# Ordered by both columns, so that no index but the one of what waits can answer.
_OF_BOT: Final = f"""
    SELECT id, bot_id, update_id, body FROM telegram_update
    WHERE {_WAITING} AND bot_id = {{bot}} ORDER BY bot_id, id LIMIT :share
"""  # noqa: S608 - of our own constants
_SELECT_POSTGRESQL: Final = text(f"""
    SELECT waiting.* FROM unnest(:bots) AS bot (id)
    CROSS JOIN LATERAL ({_OF_BOT.format(bot="bot.id")}) waiting
""").bindparams(bindparam("bots", type_=ARRAY(BigInteger)))  # noqa: S608 - of our own constants
_SELECT_SQLITE: Final = text(_OF_BOT.format(bot=":bot"))

_SELECT_THESE: Final = select(
    _UPDATES.c.id, _UPDATES.c.bot_id, _UPDATES.c.update_id, _UPDATES.c.body
).where(
    _UPDATES.c.id.in_(bindparam("ids", expanding=True)),
    _UPDATES.c.bot_id.in_(bindparam("bots", expanding=True)),
    _UPDATES.c.state == UpdateState.WAITING,
)


@dataclass(frozen=True, slots=True)
class StoredUpdate:
    """One waiting update, claimed by a worker."""

    id: int
    bot_id: int
    update_id: int
    body: bytes


@dataclass(frozen=True, slots=True)
class ClaimedUpdates:
    """What one claim took, each bot's in the order of its update ids.

    The next claim goes on behind the bot `after`; if not `has_more`, nothing was left.
    """

    updates: list[StoredUpdate]
    after: int
    has_more: bool


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """How the processing of one update ended."""

    id: int
    state: UpdateState
    reason: str | None = None


def store_updates(bot_id: int, bodies: Sequence[bytes], *, offset: int | None = None) -> None:
    """Store the updates of one poll, and the bot's next offset if there is one, in one commit."""
    began = time.time() if traces.on else 0.0
    rows = [new_update(bot_id, body) for body in bodies]
    with db.engine.begin() as connection:
        if rows:
            statement = insertion(rows, postgresql=is_postgresql(connection))
            connection.exec_driver_sql(*statement)
        if offset is not None:
            connection.execute(update(Bot).where(Bot.id == bot_id).values(poll_offset=offset))
    if rows:
        wakeup.remind(Queue.UPDATES)
        if traces.on:
            traces.updates_stored(rows, began, polled=True)


def claim(connection: Connection, limit: int, after: int = 0) -> ClaimedUpdates:
    """Claim at most `limit` updates, the oldest of each bot, beginning behind the bot `after`.

    Bots that wait share the claim, so a long queue of one delays no other. A bot belongs
    to one worker until the end of the transaction, so the updates of one person in one
    bot are never applied side by side.
    """
    bots, last = _lock_bots(connection, min(limit, _ROUND), after)
    share = limit // max(1, len(bots))
    updates = _select_oldest(connection, bots, share)
    most = max(Counter(update.bot_id for update in updates).values(), default=0)
    return ClaimedUpdates(updates, last, has_more=bool(last or after or most >= share))


def _lock_bots(connection: Connection, most: int, after: int) -> tuple[list[int], int]:
    """Lock the next bots that no other worker has. Returns them, and the last id looked at or 0."""
    begin_writing(connection)  # the locks of SQLite's bots
    statement = _LOCK_BOTS_POSTGRESQL if is_postgresql(connection) else _LOCK_BOTS_SQLITE
    while True:
        params = {"after": after, "most": most, "locks": int(AdvisoryLock.BOTS)}
        rows = fetch(connection, statement, params)
        after = rows[-1].id if len(rows) == most else 0
        bots = [row.id for row in rows if row.is_ours]
        if bots or not after:
            return bots, after


def _select_oldest(connection: Connection, bots: Sequence[int], share: int) -> list[StoredUpdate]:
    if not bots:
        return []
    rows: Sequence[Any]
    if is_postgresql(connection):
        rows = fetch(connection, _SELECT_POSTGRESQL, {"bots": bots, "share": share})
    else:
        rows = [
            row
            for bot in bots
            for row in fetch(connection, _SELECT_SQLITE, {"bot": bot, "share": share})
        ]
    return _in_order(StoredUpdate(*row) for row in rows)


def claim_again(connection: Connection, updates: Sequence[StoredUpdate]) -> list[StoredUpdate]:
    """Claim those of `updates` that still wait, of bots that no other worker has claimed."""
    bots = list({update.bot_id for update in updates})
    begin_writing(connection)
    if is_postgresql(connection):
        params = {"bots": bots, "locks": int(AdvisoryLock.BOTS)}
        bots = list(connection.scalars(_LOCK_THESE, params))
    ids = [update.id for update in updates]
    rows = connection.execute(_SELECT_THESE, {"ids": ids, "bots": bots})
    return _in_order(StoredUpdate(*row) for row in rows)


def _in_order(updates: Iterable[StoredUpdate]) -> list[StoredUpdate]:
    return sorted(updates, key=lambda update: (update.bot_id, update.update_id))


def hold(connection: Connection, bots: Iterable[int]) -> None:
    """Keep updates of `bots` from being claimed until the transaction ends.

    Waits for workers that have claimed some.
    """
    for bot in sorted(set(bots)):
        lock(connection, AdvisoryLock.BOTS, bot)


def finish(connection: Connection, results: Sequence[UpdateResult]) -> None:
    """Write the results of claimed updates. No commit.

    Only what is quarantined keeps its body: nobody reads another again, it tells of
    people, and PostgreSQL would write it a second time with the row's new version.
    """
    quarantined, finished = [], []
    for result in results:
        if result.state is UpdateState.QUARANTINED:
            quarantined.append((result.id, int(result.state), result.reason))
        else:
            finished.append((result.id, int(result.state), result.reason, ""))
    waiting = {"state": int(UpdateState.WAITING)}
    update_rows(connection, _UPDATES, ["state", "reason", "body"], finished, **waiting)
    update_rows(connection, _UPDATES, ["state", "reason"], quarantined, **waiting)
