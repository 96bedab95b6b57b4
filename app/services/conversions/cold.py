"""Cold conversions: attached to the lead when it comes, and forgotten after 30 days.

Each tick of the clock looks at some of several accounts, so that one that reports millions
keeps nobody else's waiting; and nobody's waits for one that cannot be attached.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.exc import SQLAlchemyError

from app.database.faults import is_data_fault, is_lock_timeout
from app.database.rows import is_postgresql, loose_index_scan
from app.domain.time_ranges import DAY
from app.extensions import db, wakeup
from app.models import Conversion
from app.queues import Queue
from app.services.conversions import staging
from app.services.conversions.people import lead_of_click, lead_of_person

log = structlog.get_logger()

KEPT: Final = 30 * DAY
#: Cold conversions that an account may have; beyond that the oldest are deleted.
MOST: Final = 100_000
#: How many conversions the clock looks at in one tick, and of how many accounts.
SLICE: Final = 500
ACCOUNTS: Final = 20
#: After so many seconds a tick attaches nothing more: an account may have many trackers.
SECONDS: Final = 0.5
#: Rows that one transaction deletes, and how many such transactions one call makes at the most.
BATCH: Final = 2000
BATCHES: Final = 20

#: The last account that `attach` has looked at, and the last that `forget` has.
_last = {"attached": 0, "counted": 0}
#: By account, the last conversion that `attach` has looked at; the next tick begins behind it.
_after: Final[dict[int, int]] = {}
#: Conversions that the database has refused; they are tried again by the next process.
_refused: Final[set[int]] = set()
_MOST_REFUSED: Final = 10_000

_ACCOUNTS: Final = text(f"""
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
    """Attach and report the next cold conversions whose lead has come. Commits.

    Returns how many were attached. `clock` returns seconds that only grow.
    """
    until = clock() + SECONDS
    accounts = _accounts(_last["attached"]) or _accounts(0)
    attached = staged = 0
    for account in accounts:
        _last["attached"] = account
        for row in _ready(account, max(1, SLICE // len(accounts))):
            if clock() >= until:
                _after[account] = row.id - 1  # its account's turn comes again after the others'
                break
            if (count := _attach_one(row.id, row.lead_id, now)) is not None:
                attached, staged = attached + 1, staged + count
        if clock() >= until:
            break
    else:
        _last["attached"] = accounts[-1] if len(accounts) == ACCOUNTS else 0
    if staged:
        wakeup.remind(Queue.POSTBACKS)
    return attached


def forget(now: float) -> None:
    """Delete what has waited for 30 days, and of some accounts the oldest beyond MOST. Commits."""
    _repeat(_FORGET, {"old": now - KEPT})
    accounts = _accounts(_last["counted"])
    _last["counted"] = accounts[-1] if len(accounts) == ACCOUNTS else 0
    for account in accounts:
        params = {"owner": account, "most": MOST}
        oldest = db.session.connection().scalar(_OLDEST_KEPT, params)
        db.session.rollback()
        if oldest is not None:
            log.warning("conversions.too_many_wait", account=account)
            _repeat(_FORGET_OLDER, {"owner": account, "id": oldest})


def _accounts(after: int) -> Sequence[int]:
    """The next accounts that have conversions without a lead. Ends the transaction."""
    params = {"owner": after, "most": ACCOUNTS}
    accounts = db.session.connection().scalars(_ACCOUNTS, params).all()
    db.session.rollback()
    return accounts


def _ready(account: int, size: int) -> list[Row[Any]]:
    """Those of the account's next slice whose lead is there. Ends the transaction."""
    params = {"owner": account, "after": _after.pop(account, 0), "size": size}
    rows = db.session.connection().execute(_READY, params).all()
    db.session.rollback()
    if len(rows) == size:
        _after[account] = rows[-1].id
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
        if is_lock_timeout(error):
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
    mine = select(Conversion.lead_id).where(Conversion.id == conversion_id)
    row = connection.execute(mine.with_for_update()).first()
    if row is None or row.lead_id is not None:
        return 0
    return staging.attach(connection, conversion_id, lead_id, now)


def _repeat(statement: TextClause, params: dict[str, Any]) -> None:
    """Delete a batch and commit, until nothing is left or `BATCHES` were deleted."""
    for _ in range(BATCHES):
        count = db.session.connection().execute(statement, params).rowcount
        db.session.commit()
        if count < BATCH:
            return
