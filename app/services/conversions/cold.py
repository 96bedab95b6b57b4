"""Cold conversions: attached to the lead when it comes, and forgotten after 30 days.

Each tick of the clock looks at some of several accounts, so that one that reports millions
keeps nobody else's waiting; and nobody's waits for one that cannot be attached.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import SQLAlchemyError

from app.database.faults import is_data_fault
from app.database.rows import is_postgresql, loose_index_scan
from app.domain.time_ranges import DAY
from app.extensions import db, wakeup
from app.queues import Queue
from app.services.conversions import staging
from app.services.conversions.people import lead_of_click, lead_of_person

log = structlog.get_logger()

KEPT: Final = 30 * DAY
#: So many of an account are kept; beyond that the oldest are forgotten.
MOST: Final = 100_000
#: How many the clock looks at in one tick, and of how many accounts.
SLICE: Final = 500
OWNERS: Final = 20
#: For so long it attaches in one tick: an account may have many trackers.
SECONDS: Final = 0.5
BATCH: Final = 2000
BATCHES: Final = 20  # of one round: more than accounts usually add in it

#: Behind which account the next tick goes on, behind which conversion of each, and which
#: account is looked at next for having too many.
_place = {"owner": 0, "counted": 0}
_after: Final[dict[int, int]] = {}
#: What the database has refused; it is tried again when the process starts anew.
_refused: Final[set[int]] = set()
_MOST_REFUSED: Final = 10_000

_OWNERS: Final = text(f"""
    WITH RECURSIVE {loose_index_scan("conversion", "account_id", "lead_id IS NULL", after=":owner")}
    SELECT id FROM next WHERE id IS NOT NULL LIMIT :most
""")  # noqa: S608 - our own constants

# The slice of an account behind `:after`, each with its lead if that is there now.
_READY: Final = text(f"""
    WITH slice AS (
        SELECT id, account_id, click, subscriber, campaign_id AS own FROM conversion
        WHERE lead_id IS NULL AND account_id = :owner AND id > :after ORDER BY id LIMIT :size
    )
    SELECT id, CASE WHEN subscriber IS NULL
        THEN {lead_of_click("slice.account_id", "slice.click", "slice.own")}
        ELSE {lead_of_person("slice.account_id", "slice.subscriber", "slice.own")}
    END AS lead_id
    FROM slice ORDER BY id
""")  # noqa: S608 - our own constants

_LOCK: Final = text("SELECT lead_id FROM conversion WHERE id = :id")
_FOR_UPDATE: Final = text("SELECT lead_id FROM conversion WHERE id = :id FOR UPDATE")
#: Somebody may hold a lead for long, and the clock has more to do.
_LOCK_TIMEOUT: Final = text("SET LOCAL lock_timeout = 300")

_FORGET: Final = text(f"""
    DELETE FROM conversion WHERE id IN (
        SELECT id FROM conversion WHERE lead_id IS NULL AND created < :old ORDER BY id LIMIT {BATCH}
    ) AND lead_id IS NULL
""")  # noqa: S608 - our own number

_OLDEST_KEPT: Final = text("""
    SELECT id FROM conversion WHERE lead_id IS NULL AND account_id = :owner
    ORDER BY id DESC LIMIT 1 OFFSET :most
""")
_FORGET_OLDER: Final = text(f"""
    DELETE FROM conversion WHERE id IN (
        SELECT id FROM conversion WHERE lead_id IS NULL AND account_id = :owner AND id <= :id
        ORDER BY id LIMIT {BATCH}
    ) AND lead_id IS NULL
""")  # noqa: S608 - our own number


def attach(now: float, clock: Callable[[], float] = time.monotonic) -> int:
    """Attach and report those of the next slices whose lead has come. Commits. Returns how many.

    `clock` returns seconds that only grow.
    """
    until = clock() + SECONDS
    owners = _owners(_place["owner"]) or _owners(0)
    attached = staged = 0
    for owner in owners:
        _place["owner"] = owner
        for row in _ready(owner, max(1, SLICE // len(owners))):
            if clock() >= until:
                _after[owner] = row.id - 1  # its account's turn comes again after the others'
                break
            if (count := _attach_one(row.id, row.lead_id, now)) is not None:
                attached, staged = attached + 1, staged + count
        if clock() >= until:
            break
    else:
        _place["owner"] = owners[-1] if len(owners) == OWNERS else 0
    if staged:
        wakeup.remind(Queue.POSTBACKS)
    return attached


def forget(now: float) -> None:
    """Delete those that waited for 30 days, and of some accounts those beyond `MOST`. Commits."""
    _repeat(_FORGET, {"old": now - KEPT})
    owners = _owners(_place["counted"])
    _place["counted"] = owners[-1] if len(owners) == OWNERS else 0
    for owner in owners:
        params = {"owner": owner, "most": MOST}
        oldest = db.session.connection().scalar(_OLDEST_KEPT, params)
        db.session.rollback()
        if oldest is not None:
            log.warning("conversions.too_many_wait", account=owner)
            _repeat(_FORGET_OLDER, {"owner": owner, "id": oldest})


def _owners(after: int) -> Sequence[int]:
    """The next accounts that have conversions without a lead. Ends the transaction."""
    params = {"owner": after, "most": OWNERS}
    owners = db.session.connection().scalars(_OWNERS, params).all()
    db.session.rollback()
    return owners


def _ready(owner: int, size: int) -> list[Row[Any]]:
    """Those of the account's next slice whose lead is there. Ends the transaction."""
    params = {"owner": owner, "after": _after.pop(owner, 0), "size": size}
    rows = db.session.connection().execute(_READY, params).all()
    db.session.rollback()
    if len(rows) == size:
        _after[owner] = rows[-1].id
    return [row for row in rows if row.lead_id is not None and row.id not in _refused]


def _attach_one(conversion_id: int, lead_id: int, now: float) -> int | None:
    """Attach one in a transaction of its own; the lead is locked for that long only.

    Returns how many postbacks were staged; None if it could not be attached.
    """
    try:
        staged = _attach_locked(conversion_id, lead_id, now)
        db.session.commit()
    except SQLAlchemyError as error:
        db.session.rollback()
        if isinstance(getattr(error, "orig", None), psycopg.errors.LockNotAvailable):
            return None
        if not is_data_fault(error):
            raise
        log.exception("conversion.not_attached", conversion=conversion_id)
        if len(_refused) < _MOST_REFUSED:
            _refused.add(conversion_id)
        return None
    return staged


def _attach_locked(conversion_id: int, lead_id: int, now: float) -> int:
    connection = db.session.connection()
    if is_postgresql(connection):
        connection.execute(_LOCK_TIMEOUT)
    lock = _FOR_UPDATE if is_postgresql(connection) else _LOCK
    row = connection.execute(lock, {"id": conversion_id}).first()
    if row is None or row.lead_id is not None:
        return 0
    return staging.attach(connection, conversion_id, lead_id, now)


def _repeat(statement: TextClause, params: dict[str, Any]) -> None:
    """Execute a deletion of a batch until there is nothing left for it, or it was often."""
    for _ in range(BATCHES):
        count = db.session.connection().execute(statement, params).rowcount
        db.session.commit()
        if count < BATCH:
            return
