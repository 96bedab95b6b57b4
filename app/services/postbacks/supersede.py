"""Superseding: an older status of a lead is not sent again once there is a newer one.

A tracker would get the older status last. Only one that failed before is superseded:
those never tried keep their turn. A start or a request of a person who is in changes no
status, so it supersedes no approval. A status that somebody re-sent by hand goes out,
and so does every one of a destination that wants all of them (`every_event`).
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, text

from app.database.rows import write_rows
from app.models import PostbackState
from app.models.postback import FIRST_CONVERSION
from app.services.postbacks.conditions import WAITING
from plugins.contract import EventKind

SUPERSEDED: Final = "a newer status of this lead went first"

_SET: Final = f"""
    SET state = {PostbackState.SUPERSEDED:d}, reason = '{SUPERSEDED}', settled = :now,
        lease = NULL, lease_until = NULL
"""

# Of a postback `o`.
_MAY_BE_SUPERSEDED: Final = f"""
    o.occurrence = 0 AND o.sequence < {FIRST_CONVERSION:d}
    AND NOT EXISTS (SELECT 1 FROM destination d WHERE d.id = o.destination_id AND d.every_event)
"""

_BEGINNINGS: Final = (EventKind.WAIT.value, EventKind.HOLD.value)

_OLDER: Final = f"""
    o.lead_id = newer.lead AND o.destination_id = newer.destination AND o.tries > 0
    AND NOT (o.kind = '{EventKind.APPROVE.value}' AND newer.begins = 1)
    AND {_MAY_BE_SUPERSEDED}
"""

# Lead by lead through the unique index, whatever the planner believes of the table: `+ 0`
# keeps it from the index of what waits.
_OLDER_POSTGRESQL: Final = text(f"""
    UPDATE postback {_SET}
    FROM json_to_recordset(CAST(:rows AS json))
        AS newer (lead bigint, destination bigint, begins int)
    CROSS JOIN LATERAL (
        SELECT o.ctid AS place FROM postback o
        WHERE o.state + 0 = {PostbackState.WAITING:d} AND {_OLDER} OFFSET 0
    ) older
    WHERE postback.ctid = older.place
""")

_OLDER_SQLITE: Final = text(f"""
    UPDATE postback {_SET} WHERE id IN (
        SELECT o.id FROM (
            SELECT json_extract(value, '$[0]') AS lead, json_extract(value, '$[1]') AS destination,
                   json_extract(value, '$[2]') AS begins
            FROM json_each(:rows)
        ) newer CROSS JOIN postback o WHERE o.{WAITING} AND {_OLDER}
    )
""")

# A newer status that was staged after its own successors is SUPERSEDED itself, and no reason.
_CLAIMED: Final = text(f"""
    UPDATE postback {_SET} WHERE id IN (
        SELECT o.id FROM postback o WHERE o.id IN :ids AND {_MAY_BE_SUPERSEDED}
        AND EXISTS (SELECT 1 FROM postback n
            WHERE n.lead_id = o.lead_id AND n.destination_id = o.destination_id
            AND n.sequence > o.sequence AND n.sequence < {FIRST_CONVERSION:d}
            AND n.state <> {PostbackState.SUPERSEDED:d}
            AND NOT (o.kind = '{EventKind.APPROVE.value}' AND n.kind IN {_BEGINNINGS}))
    )
    RETURNING id
""").bindparams(bindparam("ids", expanding=True))


_REPORT: Final = text(f"""
    UPDATE postback {_SET}
    WHERE lead_id = :lead AND sequence = :sequence AND {WAITING} AND occurrence = 0
""")


def supersede_older(
    connection: Connection, newer: Iterable[tuple[int, int, str]], now: float
) -> None:
    """Supersede what failed before and waits, of each pair of a lead and a destination.

    `newer` are the lead, destination and kind of each newer status of this
    transaction. No commit.
    """
    if rows := [(lead, destination, int(kind in _BEGINNINGS)) for lead, destination, kind in newer]:
        write_rows(connection, _older, ("lead", "destination", "begins"), rows, now=now)


def supersede_claimed(connection: Connection, ids: Sequence[int], now: float) -> set[int]:
    """Supersede those of the claimed retries `ids` that have a newer sibling. Returns them."""
    return set(connection.scalars(_CLAIMED, {"ids": ids, "now": now})) if ids else set()


def supersede_report(connection: Connection, lead_id: int, sequence: int, now: float) -> None:
    """Supersede what waits of one report of a lead, since a corrected one follows. No commit."""
    connection.execute(_REPORT, {"lead": lead_id, "sequence": sequence, "now": now})


@cache
def _older(postgresql: bool) -> Any:
    return _OLDER_POSTGRESQL if postgresql else _OLDER_SQLITE
