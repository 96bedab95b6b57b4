"""Stores the updates of webhooks: what this has committed is safe, and may be acknowledged."""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import psycopg
from sqlalchemy import create_engine, text

from app.database.connections import ONLY_READS, prepare_engine
from app.database.dedicated import DedicatedConnection
from app.database.direct import fetch
from app.database.sqlite.writing import begin_to_write
from app.extensions import wakeup
from app.models import BotStatus
from app.observability.traces import traces
from app.queues import Queue
from app.services.updates.group_commit import GroupCommit
from app.services.updates.new_update import (
    NewUpdate,
    insertion,
    new_update,
    oversized_update,
)

#: One is the dedicated one, one looks up which bot is behind a path.
CONNECTIONS: Final = 2
_LIVING: Final = f"bot.status <> {BotStatus.DELETED:d}"
#: Bots whose paths are read at once: those with ids of the same thousand.
BESIDE: Final = 1000
_OWN: Final = f"FROM bot WHERE webhook_path = :path AND {_LIVING}"
_BOT: Final = text(f"SELECT id, webhook_path {_OWN}")
_BOTS_BESIDE: Final = text(f"""
    SELECT bot.id, bot.webhook_path FROM bot JOIN (
        SELECT id / {BESIDE} * {BESIDE} AS first {_OWN}
    ) AS own ON bot.id >= own.first AND bot.id < own.first + {BESIDE}
    WHERE {_LIVING}
""")  # noqa: S608 - our own number


class UpdateStore:
    """Stores updates by connections of its own. Callers that come together share one commit."""

    def __init__(self, database_url: str) -> None:
        self._engine = create_engine(database_url, **prepare_engine(database_url, CONNECTIONS))
        self._connection = DedicatedConnection(self._engine)
        self._group = GroupCommit(self._insert)

    def put(self, bot_id: int, body: bytes) -> None:
        """Store one body, once for each bot and update id. It is committed when this returns."""
        began = time.time() if traces.on else 0.0
        row = new_update(bot_id, body)
        self._group.put(row)
        wakeup.remind(Queue.UPDATES)
        if traces.on:
            traces.updates_stored([row], began, polled=False)

    def put_oversized(self, bot_id: int, beginning: bytes) -> None:
        """Store the beginning of a body that is too large to be an update, quarantined."""
        self._group.put(oversized_update(bot_id, beginning))

    def find_bots(self, path: str, beside: bool) -> dict[str, int]:
        """Read which living bot has this webhook path; with `beside` up to `BESIDE` others too.

        Returns ids by path; nothing for a path behind which there is no bot.
        """
        statement = _BOTS_BESIDE if beside else _BOT
        with self._engine.execution_options(**{ONLY_READS: True}).connect() as connection:
            rows = fetch(connection, statement, {"path": path})
        return {row.webhook_path: row.id for row in rows}

    def close(self) -> None:
        """Close all connections; they are opened again when they are needed."""
        self._connection.close()
        self._engine.dispose()

    def _insert(self, rows: Sequence[NewUpdate]) -> None:
        self._connection.run(partial(_insert_rows, rows))


def _insert_rows(rows: Sequence[NewUpdate], connection: Any) -> None:
    if isinstance(connection, psycopg.Connection):
        connection.execute(*insertion(rows, postgresql=True))
        return
    begin_to_write(connection)
    try:
        connection.executemany(*insertion(rows, postgresql=False))
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # whatever was raised: nobody else can write meanwhile
            connection.rollback()
