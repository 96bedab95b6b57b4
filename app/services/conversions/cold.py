"""Cold conversions: attached to the lead when it comes, and forgotten after 30 days."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from app.database.rows import is_postgresql
from app.domain.time_ranges import DAY
from app.extensions import db, wakeup
from app.queues import Queue
from app.services.conversions import staging
from app.services.conversions.people import lead_of_click

KEPT: Final = 30 * DAY
#: How many the clock looks at in one tick.
SLICE: Final = 500
#: The id after which the next tick goes on.
_after = {"id": 0}

# The slice behind `:after`, each with its lead if that is there now.
_READY: Final = text(f"""
    WITH slice AS (
        SELECT id, account_id, click, campaign_id AS own FROM conversion
        WHERE lead_id IS NULL AND id > :after ORDER BY id LIMIT :size
    )
    SELECT id, {lead_of_click("slice.account_id", "slice.click", "slice.own")} AS lead_id
    FROM slice ORDER BY id
""")  # noqa: S608 - our own constants

_LOCK: Final = text("SELECT lead_id FROM conversion WHERE id = :id")
_FOR_UPDATE: Final = text("SELECT lead_id FROM conversion WHERE id = :id FOR UPDATE")

_FORGET: Final = text("""
    DELETE FROM conversion WHERE id IN (
        SELECT id FROM conversion WHERE lead_id IS NULL AND created < :old ORDER BY id LIMIT 2000
    ) AND lead_id IS NULL
""")


def attach(now: float) -> int:
    """Attach and report those of the next slice whose lead has come. Commits. Returns how many."""
    connection = db.session.connection()
    rows = connection.execute(_READY, {"after": _after["id"], "size": SLICE}).all()
    db.session.commit()
    _after["id"] = rows[-1].id if len(rows) == SLICE else 0
    ready = [(row.id, row.lead_id) for row in rows if row.lead_id is not None]
    staged = sum(_attach_one(conversion_id, lead_id, now) for conversion_id, lead_id in ready)
    if staged:
        wakeup.remind(Queue.POSTBACKS)
    return len(ready)


def forget(now: float) -> None:
    """Delete those that waited for 30 days. No commit."""
    db.session.connection().execute(_FORGET, {"old": now - KEPT})


def _attach_one(conversion_id: int, lead_id: int, now: float) -> int:
    """Attach one in a transaction of its own; the lead is locked for that long only."""
    connection = db.session.connection()
    lock = _FOR_UPDATE if is_postgresql(connection) else _LOCK
    row = connection.execute(lock, {"id": conversion_id}).first()
    staged = 0
    if row is not None and row.lead_id is None:
        staged = staging.attach(connection, conversion_id, lead_id, now)
    db.session.commit()
    return staged
