"""Advisory locks of PostgreSQL: one enum of their keys, and how they are taken."""

import enum
from typing import Final

from sqlalchemy import BigInteger, Connection, bindparam, text

from app.database.connections import begin_writing
from app.database.direct import fetch
from app.database.rows import is_postgresql

#: As long as a transaction that holds what all workers need may do nothing, in milliseconds.
SHORT_IDLE: Final = 5_000
#: A column for its first statement: the server ends it then, since its owner is frozen or cut off.
SHORT_IDLE_SQL: Final = (
    f"set_config('idle_in_transaction_session_timeout', '{SHORT_IDLE}', true) AS idle"
)
_NUMBER: Final = bindparam("number", type_=BigInteger)
_LOCK: Final = text("SELECT pg_advisory_xact_lock(CAST(:number AS bigint))").bindparams(_NUMBER)
_LOCK_QUEUE: Final = text(f"""
    SELECT pg_advisory_xact_lock(CAST(:number AS bigint)),
           {SHORT_IDLE_SQL},
           set_config('enable_bitmapscan', 'off', true) AS bitmaps,
           set_config('enable_seqscan', 'off', true) AS whole_tables
""").bindparams(_NUMBER)
_TRY_LOCK: Final = text(
    "SELECT pg_try_advisory_xact_lock(CAST(:number AS bigint)) AS is_ours"
).bindparams(_NUMBER)


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

    Excludes transactions of other processes too. On SQLite it is the lock of its one writer.
    """
    if is_postgresql(connection):
        fetch(connection, _LOCK, {"number": key + offset})
    else:
        begin_writing(connection)


def lock_queue(connection: Connection, key: AdvisoryLock) -> None:
    """As `lock`; and until the transaction ends PostgreSQL uses plain index scans only.

    Rows that pass through a queue leave dead entries there. A plain scan marks them, so that each
    is met once; one by a bitmap marks none, and meets them all until the next vacuum. And what
    PostgreSQL knows of the states of rows is soon wrong, so that it may read the whole table.

    A transaction that does nothing for `SHORT_IDLE` is ended by the server: all others wait.
    """
    if is_postgresql(connection):
        fetch(connection, _LOCK_QUEUE, {"number": int(key)})
    else:
        begin_writing(connection)


def try_lock(connection: Connection, key: AdvisoryLock) -> bool:
    """As `lock`, but returns False at once if another transaction holds the lock.

    SQLite's writer is waited for, and nobody is another then.
    """
    if not is_postgresql(connection):
        begin_writing(connection)
        return True
    return bool(fetch(connection, _TRY_LOCK, {"number": int(key)})[0].is_ours)
