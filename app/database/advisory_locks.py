"""Advisory locks of PostgreSQL: one enum of their keys, and how they are taken."""

from __future__ import annotations

import enum

from sqlalchemy import Connection, text

from app.database.rows import is_postgresql


class AdvisoryLock(enum.IntEnum):
    """Every advisory lock of the product. No other code writes such a number."""

    CLAIM_POSTBACKS = 0x676101
    CLAIM_MESSAGES = 0x676102
    SEND_DIGESTS = 0x676103
    COMPACT_ROW_COUNTS = 0x676104
    CLAIM_REQUESTS = 0x676105
    DELETE_OLD_ROWS = 0x676106
    #: The first of a range: this plus a bot's id is the lock of that bot.
    BOTS = 0x6761 << 32


def lock(connection: Connection, key: AdvisoryLock, offset: int = 0) -> None:
    """Wait for the lock `key` + `offset` and hold it until the transaction ends.

    Excludes transactions of other processes too. SQLite needs nothing: its
    transactions have the database to themselves.
    """
    if is_postgresql(connection):
        statement = text("SELECT pg_advisory_xact_lock(:number)")
        connection.execute(statement, {"number": key + offset})


def try_lock(connection: Connection, key: AdvisoryLock) -> bool:
    """As `lock`, but returns False at once if another transaction holds the lock."""
    if not is_postgresql(connection):
        return True
    statement = text("SELECT pg_try_advisory_xact_lock(:number)")
    return bool(connection.scalar(statement, {"number": int(key)}))
