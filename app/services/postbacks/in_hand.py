"""New postbacks that whoever stages them sends at once, without a claim.

Only what a claim made in the same moment would take: the destination may be sent to and has
nothing due, no older status of the lead is on its way, and the same limits are kept, counted
over all processes. Everything else waits for a claim.
"""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.database.advisory_locks import AdvisoryLock, try_lock
from app.database.direct import fetch
from app.database.rows import fetch_rows, is_postgresql
from app.models import PostbackState
from app.services.postbacks.claim import DueDestination
from app.services.postbacks.conditions import MAY_BE_SENT_TO, WAITING


@dataclass(frozen=True, slots=True)
class Lease:
    """Who sends new postbacks at once, and how many.

    `token` is the holder's, good until `until` (Unix seconds). `quota_for` says how many of a
    destination's may be taken, at most so many; of all together at most `most` are.
    """

    token: str
    until: float
    quota_for: Callable[[DueDestination, int], int]
    most: int


Pair = tuple[int, int]  # a lead and a destination

_IDLE_DESTINATIONS: Final = f"""
    SELECT d.id, d.account_id, d.failures,
           (SELECT count(*) FROM postback s
            WHERE s.state = {PostbackState.SENDING:d} AND {{of}}s.destination_id = d.id) AS sending,
           d.tracker, d.settings
    FROM destination d WHERE d.id {{among}} AND {MAY_BE_SENT_TO}
    AND NOT EXISTS (SELECT 1 FROM postback p
        WHERE p.destination_id = d.id AND p.{WAITING} AND p.due <= :now)
    ORDER BY d.id
"""
_IDLE_POSTGRESQL: Final = text(_IDLE_DESTINATIONS.format(among="= ANY(:ids)", of="")).bindparams(
    bindparam("ids", type_=ARRAY(BigInteger))
)
# `+` keeps SQLite from counting by the index of all that a destination ever had.
_IDLE_SQLITE: Final = text(
    _IDLE_DESTINATIONS.format(among="IN (SELECT value FROM json_each(:ids))", of="+")
)

# Pair by pair through the unique index, as in `supersede`.
_UNFINISHED: Final = f"""
    EXISTS (SELECT 1 FROM postback o
        WHERE o.lead_id = pair.lead AND o.destination_id = pair.destination
        AND o.state + 0 <= {PostbackState.SENDING:d} LIMIT 1 OFFSET 0)
"""
_BUSY_POSTGRESQL: Final = text(f"""
    SELECT pair.lead, pair.destination
    FROM json_to_recordset(CAST(:rows AS json)) AS pair (lead bigint, destination bigint)
    WHERE {_UNFINISHED}
""")
_BUSY_SQLITE: Final = text(f"""
    SELECT pair.lead, pair.destination FROM (
        SELECT json_extract(value, '$[0]') AS lead, json_extract(value, '$[1]') AS destination
        FROM json_each(:rows)
    ) pair WHERE {_UNFINISHED}
""")


def destinations_to_send_to(
    connection: Connection, new_rows: Counter[int], lease: Lease, now: float
) -> dict[int, tuple[DueDestination, int]]:
    """The destinations that new postbacks may be sent to at once, each with how many.

    `new_rows` counts the new postbacks by destination. If another process is claiming there are
    none: it may be about to take up what these have left of their limits. From then on no
    process claims until the transaction ends.
    """
    if not new_rows or not try_lock(connection, AdvisoryLock.CLAIM_POSTBACKS):
        return {}
    left = lease.most
    allowed = {}
    statement = _IDLE_POSTGRESQL if is_postgresql(connection) else _IDLE_SQLITE
    for row in fetch(connection, statement, {"ids": list(new_rows), "now": now}):
        destination = DueDestination(*row)
        quota = lease.quota_for(destination, min(new_rows[destination.id], left))
        if quota > 0:
            allowed[destination.id] = destination, quota
            left -= quota
    return allowed


def with_unfinished(connection: Connection, pairs: Collection[Pair]) -> set[Pair]:
    """Those of `pairs` that have a postback which waits or is being sent."""
    if not pairs:
        return set()
    rows = fetch_rows(connection, _busy, ("lead", "destination"), pairs)
    return {(row.lead, row.destination) for row in rows}


@cache
def _busy(postgresql: bool) -> Any:
    return _BUSY_POSTGRESQL if postgresql else _BUSY_SQLITE
