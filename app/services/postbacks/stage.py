"""New postbacks, written in the transaction that moved the lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, exists, select, text, update

from app.database.rows import insert_rows, rows_table, with_rows
from app.models import Destination, Postback, PostbackState, table_of
from app.models.base import Big

_POSTBACKS = table_of(Postback)
_DESTINATIONS = table_of(Destination)
_COLUMNS: Final = (
    "account_id campaign_id lead_id destination_id sequence kind event state reason occurrence"
    " tries steps due created settled"
).split()

SUPERSEDED: Final = "a newer status of this lead went first"


# Lead by lead through the unique index, whatever the planner believes of the table: `+ 0`
# keeps it from the index of what waits.
_SUPERSEDING_POSTGRESQL: Final = text(f"""
    UPDATE postback
    SET state = {PostbackState.SUPERSEDED:d}, reason = '{SUPERSEDED}', settled = :now
    FROM json_to_recordset(CAST(:rows AS json)) AS newer (lead bigint, destination bigint)
    CROSS JOIN LATERAL (
        SELECT o.ctid AS place FROM postback o
        WHERE o.lead_id = newer.lead AND o.destination_id = newer.destination
        AND o.state + 0 = {PostbackState.WAITING:d} AND o.tries > 0 AND o.occurrence = 0
        AND NOT EXISTS (
            SELECT 1 FROM destination d WHERE d.id = newer.destination AND d.every_event)
        OFFSET 0
    ) older
    WHERE postback.ctid = older.place
""")


@dataclass(frozen=True, slots=True)
class NewPostback:
    """One event for one destination; `event` is the Event as JSON.

    `late` says that a newer status of the lead was staged before.
    """

    account_id: int
    campaign_id: int
    lead_id: int
    destination_id: int
    sequence: int
    kind: str
    event: str
    late: bool = False


def stage(connection: Connection, postbacks: Sequence[NewPostback], now: float) -> None:
    """Insert postbacks that are due at `now`, Unix seconds. No commit: the lead's does it.

    Older statuses that failed before are superseded at once. Those never tried
    keep their turn, and `claim` looks after those in flight.
    """
    if not postbacks:
        return
    _supersede(connection, postbacks, now)
    rows = [_row(postback, now) for postback in postbacks]
    insert_rows(connection, _POSTBACKS, _COLUMNS, rows)


def _row(postback: NewPostback, now: float) -> tuple[object, ...]:
    state = PostbackState.SUPERSEDED if postback.late else PostbackState.WAITING
    reason, settled = (SUPERSEDED, now) if postback.late else ("", None)
    return (
        postback.account_id,
        postback.campaign_id,
        postback.lead_id,
        postback.destination_id,
        postback.sequence,
        postback.kind,
        postback.event,
        int(state),
        reason,
        0,
        0,
        0,
        now,
        now,
        settled,
    )


def _supersede(connection: Connection, postbacks: Sequence[NewPostback], now: float) -> None:
    newer = [
        (postback.lead_id, postback.destination_id)
        for postback in postbacks
        if postback.sequence > 1 and not postback.late
    ]
    if newer:
        with_rows(connection, _superseding, ("lead", "destination"), newer, now=now)


@cache
def _superseding(postgresql: bool) -> Any:
    if postgresql:
        return _SUPERSEDING_POSTGRESQL
    newer = rows_table(postgresql, {"lead": Big, "destination": Big})
    row, destination = _POSTBACKS.c, _DESTINATIONS.c
    keeps_all = exists(
        select(1).where(destination.id == row.destination_id, destination.every_event)
    )
    return (
        update(_POSTBACKS)
        .where(
            row.lead_id == newer.c.lead,
            row.destination_id == newer.c.destination,
            row.state == PostbackState.WAITING,
            row.tries > 0,
            row.occurrence == 0,
            ~keeps_all,
        )
        .values(state=PostbackState.SUPERSEDED, reason=SUPERSEDED, settled=bindparam("now"))
    )
