"""New postbacks, written in the transaction that moved the lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from app.database.rows import insert_rows
from app.models import Postback, PostbackState, table_of
from app.models.postback import FIRST_CONVERSION
from app.services.postbacks.supersede import SUPERSEDED, supersede_older

_POSTBACKS = table_of(Postback)
_COLUMNS: Final = (
    "account_id campaign_id lead_id destination_id sequence kind event state reason occurrence"
    " tries steps due created settled"
).split()


@dataclass(frozen=True, slots=True)
class NewPostback:
    """One event for one destination; `event` is the Event as JSON.

    `superseded` says that a newer status of the lead was staged before.
    """

    account_id: int
    campaign_id: int
    lead_id: int
    destination_id: int
    sequence: int
    kind: str
    event: str
    superseded: bool = False


def stage(connection: Connection, postbacks: Sequence[NewPostback], now: float) -> None:
    """Insert postbacks that are due at `now`, Unix seconds. No commit: the lead's does it.

    Older statuses that failed before are superseded at once. Those never tried
    keep their turn, and `claim` looks after those in flight.
    """
    if not postbacks:
        return
    newer = [
        (postback.lead_id, postback.destination_id)
        for postback in postbacks
        if 1 < postback.sequence < FIRST_CONVERSION and not postback.superseded
    ]
    supersede_older(connection, newer, now)
    rows = [_row(postback, now) for postback in postbacks]
    insert_rows(connection, _POSTBACKS, _COLUMNS, rows)


def _row(postback: NewPostback, now: float) -> tuple[object, ...]:
    state = PostbackState.SUPERSEDED if postback.superseded else PostbackState.WAITING
    reason, settled = (SUPERSEDED, now) if postback.superseded else ("", None)
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
