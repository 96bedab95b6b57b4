"""Stage: what is owed, written in the transaction that moved the lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, exists, select, update

from app.database import insert_rows, rows_table, with_rows
from app.models import Destination, Postback, PostbackState, table_of
from app.models.base import Big

_POSTBACKS = table_of(Postback)
_DESTINATIONS = table_of(Destination)
_COLUMNS: Final = (
    "account_id campaign_id lead_id destination_id sequence kind event state reason occurrence"
    " tries steps due created settled"
).split()

SUPERSEDED: Final = "a newer status of this lead went first"


@dataclass(frozen=True, slots=True)
class NewPostback:
    """One event owed to one destination; `event` is the frozen Event as JSON."""

    account_id: int
    campaign_id: int
    lead_id: int
    destination_id: int
    sequence: int
    kind: str
    event: str
    late: bool = False  # a newer status was reported already


def stage(connection: Connection, owed: Sequence[NewPostback], now: float) -> None:
    """Write what is owed. No commit: the caller's lead change carries it.

    Older statuses that failed before are superseded here and now. Those never
    tried keep their turn, and `claim` looks after those in flight.
    """
    if not owed:
        return
    _supersede(connection, owed, now)
    insert_rows(connection, _POSTBACKS, _COLUMNS, [_row(one, now) for one in owed])


def _row(one: NewPostback, now: float) -> tuple[object, ...]:
    state = PostbackState.SUPERSEDED if one.late else PostbackState.WAITING
    reason, settled = (SUPERSEDED, now) if one.late else ("", None)
    whose = (one.account_id, one.campaign_id, one.lead_id, one.destination_id, one.sequence)
    return (*whose, one.kind, one.event, int(state), reason, 0, 0, 0, now, now, settled)


def _supersede(connection: Connection, owed: Sequence[NewPostback], now: float) -> None:
    newer = [(one.lead_id, one.destination_id) for one in owed if one.sequence > 1 and not one.late]
    if not newer:
        return
    with_rows(connection, _superseding, ("lead", "destination"), newer, now=now)


@cache
def _superseding(postgresql: bool) -> Any:
    given = rows_table(postgresql, {"lead": Big, "destination": Big})
    row, way = _POSTBACKS.c, _DESTINATIONS.c
    keeps_all = exists(select(1).where(way.id == row.destination_id, way.every_event))
    return (
        update(_POSTBACKS)
        .where(
            row.lead_id == given.c.lead,
            row.destination_id == given.c.destination,
            row.state == PostbackState.WAITING,
            row.tries > 0,
            row.occurrence == 0,
            ~keeps_all,
        )
        .values(state=PostbackState.SUPERSEDED, reason=SUPERSEDED, settled=bindparam("now"))
    )
