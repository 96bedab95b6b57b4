"""Reassigns, in bulk, rows that belong to campaigns. Nothing is committed here.

The callers hold the bots' updates back (`inbox.hold`), so no lead changes meanwhile.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    Connection,
    String,
    case,
    cast,
    delete,
    exists,
    func,
    select,
    update,
)

from app.models import Click, Conversion, Destination, EventKey, Notice, Source, table_of
from app.models.conversion import LONGEST_TID

_DESTINATIONS: Final = table_of(Destination)
_NOTICES: Final = table_of(Notice)
_SOURCES: Final = table_of(Source)
_CLICKS: Final = table_of(Click)
_CONVERSIONS: Final = table_of(Conversion)
_EVENT_KEYS: Final = table_of(EventKey)


def reassign_sources(connection: Connection, campaigns: Sequence[int], recipient: int) -> None:
    """Reassign the campaigns' sources to `recipient`; their clicks follow (`relocation`).

    It waits for clicks that are being stored, and no click waits for it (`clicks.store`), so it
    comes last in its transaction.
    """
    connection.execute(
        update(_SOURCES).where(_SOURCES.c.campaign_id.in_(campaigns)).values(account_id=recipient)
    )


def late_clicks(
    connection: Connection, campaigns: Sequence[int], recipient: int, since: float
) -> Sequence[int]:
    """Return ids of clicks since `since` that are not the recipient's yet, at most 1000.

    `since` is in Unix seconds; the clicks are those of the campaigns' sources.
    """
    # `+ 0` keeps the index by source out of the plan: it leads to all clicks there ever were.
    sources = select(_SOURCES.c.id).where(_SOURCES.c.campaign_id.in_(campaigns))
    of_sources = (_CLICKS.c.source_id + 0).in_(sources)
    late = select(_CLICKS.c.id).where(of_sources, _CLICKS.c.created >= since)
    return connection.scalars(late.where(_CLICKS.c.account_id != recipient).limit(1000)).all()


def reassign_clicks(connection: Connection, clicks: Sequence[int], recipient: int) -> None:
    """Reassign these clicks to `recipient`."""
    these = update(_CLICKS).where(_CLICKS.c.id.in_(clicks))
    connection.execute(these.values(account_id=recipient))


def reassign_destinations(connection: Connection, campaigns: Sequence[int], recipient: int) -> None:
    """Reassign the campaigns' own templates and destinations to `recipient`.

    Their keys for events are deleted: whoever has one reports to the giver. So are notices about
    them that the giver was not sent yet.
    """
    connection.execute(delete(_EVENT_KEYS).where(_EVENT_KEYS.c.campaign_id.in_(campaigns)))
    connection.execute(
        update(_DESTINATIONS)
        .where(_DESTINATIONS.c.campaign_id.in_(campaigns))
        .values(account_id=recipient)
    )
    connection.execute(delete(_NOTICES).where(_NOTICES.c.campaign_id.in_(campaigns)))


def reassign_conversions(connection: Connection, leads: Sequence[int], recipient: int) -> None:
    """Reassign the conversions of leads to `recipient`; those still without a lead stay.

    Ids that came by the giver's API must not meet the recipient's: their key becomes the giver
    below zero, and 0 again when they come back. One that was reported again in the meantime gets
    its own number behind its id: otherwise reporting it would keep a transfer from being reversed.
    """
    row, other = _CONVERSIONS.c, _CONVERSIONS.alias("other").c
    key = case((row.key_id == 0, -row.account_id), (row.key_id == -recipient, 0), else_=row.key_id)
    moving = (row.lead_id.in_(leads), row.account_id != recipient)
    is_taken = exists().where(
        other.account_id == recipient,
        other.key_id == key,
        other.kind == row.kind,
        other.tid == row.tid,
    )
    numbered = func.substr(row.tid, 1, LONGEST_TID - 20).concat(" ").concat(cast(row.id, String))
    connection.execute(update(_CONVERSIONS).where(*moving, is_taken).values(tid=numbered))
    connection.execute(update(_CONVERSIONS).where(*moving).values(account_id=recipient, key_id=key))
