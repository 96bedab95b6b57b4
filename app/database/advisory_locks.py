"""Advisory locks of PostgreSQL: one enum of their keys, and how they are taken."""

import enum
from typing import Final

from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

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
#: As long as a holder's owner may neither read what was asked for nor ask on, in seconds.
STALLED_SECONDS: Final = 10.0
# `idle_in_transaction_session_timeout` ends neither: in a pipeline whose end did not come a session
# is active, and so it is while it sends rows that nobody takes.
_STALLED: Final = text("""
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND wait_event_type = 'Client'
    AND (state = 'active' OR wait_event = 'ClientWrite')
    AND state_change < clock_timestamp() - make_interval(secs => :seconds)
""")
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


# Of a key the server shows the upper half as `classid` and the lower one as `objid`.
_NUMBERS: Final = ", ".join(f"{key:d}" for key in AdvisoryLock if key is not AdvisoryLock.BOTS)
_END_HOLDERS: Final = text(f"""
    SELECT pg_terminate_backend(pid) FROM (
        SELECT DISTINCT pid FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = ANY(:pids)
        AND (classid = {AdvisoryLock.BOTS >> 32:d} OR (classid = 0 AND objid IN ({_NUMBERS})))
    ) holder
""").bindparams(bindparam("pids", type_=ARRAY(BigInteger)))  # noqa: S608 - our own numbers


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


def end_stalled(connection: Connection, seconds: float = STALLED_SECONDS) -> int:
    """End the sessions that hold a lock of ours while PostgreSQL waits for their owners.

    Only those that its own time limit does not see, after so many seconds: who is frozen, or whose
    host is cut off, would keep the lock for hours. Returns how many were ended.
    """
    if not is_postgresql(connection):
        return 0
    stalled = [row.pid for row in fetch(connection, _STALLED, {"seconds": seconds})]
    return len(fetch(connection, _END_HOLDERS, {"pids": stalled})) if stalled else 0
