"""Claim: take due postbacks, fair over destinations and in order per lead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.database import is_postgresql, lock
from app.services.postbacks.stage import SUPERSEDED

_LOCK: Final = 0x676101
_ROUND: Final = 64  # destinations one claim looks at


@dataclass(frozen=True, slots=True)
class DueDestination:
    """A destination that has work and may be sent to now."""

    id: int
    failures: int  # in a row
    sending: int  # of its postbacks, over all processes
    tracker: str
    settings: str  # encrypted


@dataclass(frozen=True, slots=True)
class ClaimedPostback:
    """One postback in the hand of a worker, with what its destination says."""

    id: int
    destination_id: int
    event: str
    occurrence: int
    tries: int
    steps: int
    first_try: float | None
    carried: str
    tracker: str
    settings: str  # encrypted
    failures: int


# A loose index scan: it jumps from one destination with waiting rows to the
# next, so a million rows of one of them cost no more than ten.
_WANTED = text("""
    WITH RECURSIVE next (id) AS (
        SELECT min(destination_id) FROM postback WHERE state = 0 AND destination_id > :after
        UNION ALL
        SELECT (SELECT min(destination_id) FROM postback
                WHERE state = 0 AND destination_id > next.id)
        FROM next WHERE next.id IS NOT NULL
    ), in_hand AS (
        SELECT destination_id AS id, count(*) AS number
        FROM postback WHERE state = 1 GROUP BY destination_id
    )
    SELECT d.id, d.failures, coalesce(in_hand.number, 0) AS sending, d.tracker, d.settings
    FROM next JOIN destination d ON d.id = next.id LEFT JOIN in_hand ON in_hand.id = d.id
    WHERE d.status = 0 AND d.blocked_until <= :now LIMIT :many
""")

# Due, and no older status of the same lead still has its turn. The unique
# index (lead, destination, sequence) answers the inner question.
_IN_TURN = """
    p.state = 0 AND p.due <= :now AND p.destination_id = d.id
    AND (p.sequence = 1 OR NOT EXISTS (
        SELECT 1 FROM postback o
        WHERE o.lead_id = p.lead_id AND o.destination_id = p.destination_id
        AND o.sequence < p.sequence
        AND (o.state = 1 OR (o.state = 0 AND (o.tries = 0 OR d.every_event)))))
    ORDER BY p.due, p.id
"""

_TAKEN = """
    RETURNING postback.id, destination_id, event, occurrence, tries, steps, first_try,
              carried
"""

_TAKE_POSTGRESQL = text(f"""
    UPDATE postback SET state = 1, lease = :lease, lease_until = :until
    FROM (
        SELECT turn.id FROM unnest(:ids, :rooms) AS wanted (id, room)
        JOIN destination d ON d.id = wanted.id
        CROSS JOIN LATERAL (SELECT p.id FROM postback p WHERE {_IN_TURN} LIMIT wanted.room) turn
    ) mine
    WHERE postback.id = mine.id {_TAKEN}
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)), bindparam("rooms", type_=ARRAY(BigInteger))
)

_TAKE_SQLITE = text(f"""
    UPDATE postback SET state = 1, lease = :lease, lease_until = :until
    WHERE id IN (
        SELECT p.id FROM postback p JOIN destination d ON d.id = :id WHERE {_IN_TURN} LIMIT :room
    ) {_TAKEN}
""")

# A try that failed and has a newer sibling is not repeated: the tracker would
# hear old news last. (A late row is SUPERSEDED itself and counts as no sibling.)
_SUPERSEDE = text("""
    UPDATE postback SET state = 5, reason = :reason, settled = :now,
                        lease = NULL, lease_until = NULL
    WHERE id IN :ids AND occurrence = 0
    AND NOT (SELECT every_event FROM destination d WHERE d.id = postback.destination_id)
    AND EXISTS (SELECT 1 FROM postback n
        WHERE n.lead_id = postback.lead_id AND n.destination_id = postback.destination_id
        AND n.sequence > postback.sequence AND n.state <> 5)
    RETURNING id
""").bindparams(bindparam("ids", expanding=True))


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What one claim brought. `after` is where the next one goes on."""

    postbacks: list[ClaimedPostback]
    after: int


def claim(
    connection: Connection,
    *,
    now: float,
    lease: str,
    until: float,
    after: int,
    room_for: Callable[[DueDestination], int],
    most: int,
) -> ClaimResult:
    """Lease at most `most` postbacks of several destinations. The caller commits.

    `room_for` says how many rows of a destination may be taken. Destinations
    are visited round-robin, beginning behind the id `after`. `lease` is the
    holder's token, good until `until`.
    """
    lock(connection, _LOCK)
    wanted = _wanted(connection, now, after)
    rooms: list[tuple[int, int]] = []
    for one in wanted:
        room = min(room_for(one), most - sum(room for _, room in rooms))
        if room > 0:
            rooms.append((one.id, room))
    terms = {"lease": lease, "now": now, "until": until}
    rows = _take(connection, rooms, terms) if rooms else []
    if again := [row.id for row in rows if row.tries]:
        terms = {"ids": again, "now": now, "reason": SUPERSEDED}
        stale = set(connection.scalars(_SUPERSEDE, terms))
        rows = [row for row in rows if row.id not in stale]
    last = after  # while nobody may be sent to, it stays whose turn it was
    if rooms:
        last = rooms[-1][0] if len(rooms) < len(wanted) or len(wanted) >= _ROUND else 0
    return ClaimResult(_claimed(rows, wanted), last)


def _wanted(connection: Connection, now: float, after: int) -> list[DueDestination]:
    rows = connection.execute(_WANTED, {"after": after, "now": now, "many": _ROUND}).all()
    if after and len(rows) < _ROUND:  # come round to the beginning
        more = {"after": 0, "now": now, "many": _ROUND - len(rows)}
        rows = [*rows, *(row for row in connection.execute(_WANTED, more) if row.id <= after)]
    return [DueDestination(*row) for row in rows]


def _take(
    connection: Connection, rooms: Sequence[tuple[int, int]], terms: dict[str, Any]
) -> Sequence[Row[Any]]:
    if is_postgresql(connection):
        ids, sizes = zip(*rooms, strict=True)
        terms |= {"ids": list(ids), "rooms": list(sizes)}
        return connection.execute(_TAKE_POSTGRESQL, terms).all()
    taken: list[Row[Any]] = []
    for id_, room in rooms:
        taken += connection.execute(_TAKE_SQLITE, terms | {"id": id_, "room": room}).all()
    return taken


def _claimed(rows: Sequence[Row[Any]], wanted: Sequence[DueDestination]) -> list[ClaimedPostback]:
    ways = {one.id: one for one in wanted}
    return [
        ClaimedPostback(
            id=row.id,
            destination_id=row.destination_id,
            event=row.event,
            occurrence=row.occurrence,
            tries=row.tries,
            steps=row.steps,
            first_try=row.first_try,
            carried=row.carried,
            tracker=ways[row.destination_id].tracker,
            settings=ways[row.destination_id].settings,
            failures=ways[row.destination_id].failures,
        )
        for row in rows
    ]
