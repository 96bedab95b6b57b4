"""Old rows: deleted after the days that the operator has set, a small batch in each transaction.

A batch looks at no more than BATCH rows along an index or the key, skips what another transaction
holds, and locks nothing that an update, a postback or a screen waits for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlalchemy import text

from app.config import Settings
from app.database.advisory_locks import AdvisoryLock, try_lock
from app.database.rows import is_postgresql
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import UpdateState

#: Rows that one transaction deletes or empties.
BATCH: Final = 1000
#: Days for which updates are kept that could not be processed, unless all are kept longer.
QUARANTINED_DAYS: Final = 30
#: Addresses and browsers of clicks: Meta takes no event that is older.
PRIVATE_DAYS: Final = 7
#: Keys under which a call may be repeated.
KEYS_DAYS: Final = 2

_SKIP: Final = " FOR UPDATE SKIP LOCKED"

#: For how many days rows are kept, by the settings.
Days = Callable[[Settings], int]


@dataclass(frozen=True, slots=True)
class OldRows:
    """Which rows of a table are old: `ids` selects their keys, older than `:old`, one batch."""

    table: str
    days: Days
    ids: str
    forgotten: tuple[str, ...] = ()  # columns that are emptied; none: the row is deleted


def _oldest(table: str, column: str) -> str:
    """Ids of old rows at the beginning of a table whose key rises with `column`.

    No index by time is needed: what came first stands first.
    """
    first = f"SELECT id FROM {table} ORDER BY id LIMIT {BATCH}"  # noqa: S608 - our own names
    return (
        f"SELECT id FROM {table} WHERE id <= (SELECT max(id) FROM ({first}) AS beginning)"  # noqa: S608
        f" AND {column} < :old"
    )


_STATES: Final = f"{UpdateState.DONE:d}, {UpdateState.IGNORED:d}"

#: The conditions are worded as the partial indexes are, or these would not be used.
KINDS: Final = (
    OldRows(
        "telegram_update",
        lambda settings: settings.keep_updates_days,
        f"SELECT id FROM telegram_update WHERE received < :old AND state IN ({_STATES})"  # noqa: S608
        f" ORDER BY received LIMIT {BATCH}",
    ),
    OldRows(
        "telegram_update",
        lambda settings: max(QUARANTINED_DAYS, settings.keep_updates_days),
        f"SELECT id FROM telegram_update WHERE state = {UpdateState.QUARANTINED:d}"  # noqa: S608
        f" AND received < :old ORDER BY id LIMIT {BATCH}",
    ),
    OldRows(
        "click",
        lambda _: PRIVATE_DAYS,
        "SELECT id FROM click WHERE (ip IS NOT NULL OR ua IS NOT NULL) AND created < :old"  # noqa: S608
        f" ORDER BY created LIMIT {BATCH}",
        forgotten=("ip", "ua"),
    ),
    OldRows(
        "click",
        lambda settings: settings.keep_clicks_days,
        f"SELECT id FROM click WHERE created < :old ORDER BY created LIMIT {BATCH}",  # noqa: S608
    ),
    OldRows(
        "idempotency_key",
        lambda _: KEYS_DAYS,
        f"SELECT id FROM idempotency_key WHERE created < :old ORDER BY created LIMIT {BATCH}",  # noqa: S608
    ),
    OldRows("attempt", lambda settings: settings.keep_attempts_days, _oldest("attempt", "started")),
    OldRows("journal", lambda settings: settings.keep_journal_days, _oldest("journal", "time")),
)


def delete(now: float, settings: Settings, seconds: float) -> bool:
    """Delete what is old at `now`, Unix seconds, for about `seconds`. Commits after each batch.

    Returns whether some is left for the next time. Another clock that deletes is left alone.
    """
    end = time.monotonic() + seconds
    kinds = [
        partial(_batch, kind, now - days * DAY) for kind in KINDS if (days := kind.days(settings))
    ]
    while kinds := [batch for batch in kinds if batch() == BATCH]:
        if time.monotonic() >= end:
            return True
    return False


def _batch(kind: OldRows, old: float) -> int:
    """Delete or empty one batch. Commits. Returns how many rows it was."""
    connection = db.session.connection()
    count = 0
    if try_lock(connection, AdvisoryLock.DELETE_OLD_ROWS):
        ids = kind.ids + (_SKIP if is_postgresql(connection) else "")
        count = connection.execute(text(_statement(kind, ids)), {"old": old}).rowcount
    db.session.commit()
    return count


def _statement(kind: OldRows, ids: str) -> str:
    if not kind.forgotten:
        return f"DELETE FROM {kind.table} WHERE id IN ({ids})"  # noqa: S608 - our own names
    values = ", ".join(f"{column} = NULL" for column in kind.forgotten)
    return f"UPDATE {kind.table} SET {values} WHERE id IN ({ids})"  # noqa: S608 - our own names
