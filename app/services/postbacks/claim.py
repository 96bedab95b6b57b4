"""Claim: take due postbacks, fair over destinations and in order per lead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Row, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.database.advisory_locks import AdvisoryLock, lock
from app.database.rows import is_postgresql
from app.models import DestinationStatus, PostbackState
from app.models.account import IS_SUSPENDED_SQL
from app.services.postbacks.claimed import ClaimedPostback
from app.services.postbacks.stage import SUPERSEDED

_WAITING: Final = f"state = {PostbackState.WAITING:d}"
_ROUND: Final = 256  # destinations one claim looks at
_FAIR: Final = 2  # rows of a destination in one claim, while more wait than it looks at


@dataclass(frozen=True, slots=True)
class DueDestination:
    """A destination that has due postbacks and may be sent to now.

    `account_id` is its owner. `failures` counts those in a row, `sending` its
    postbacks under a lease, over all processes. `settings` is encrypted.
    """

    id: int
    account_id: int
    failures: int
    sending: int
    tracker: str
    settings: str


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What one claim took. `after` is the destination the next claim goes on behind."""

    postbacks: list[ClaimedPostback]
    after: int


_MAY_SEND: Final = f"""
    d.status = {DestinationStatus.ACTIVE:d} AND d.blocked_until <= :now
    AND NOT {IS_SUSPENDED_SQL.format(owner="d.account_id")} AND d.account_id NOT IN :full
    AND EXISTS (SELECT 1 FROM postback p
        WHERE p.destination_id = d.id AND p.{_WAITING} AND p.due <= :now)
"""

# Jumps in the index from one destination with waiting rows to the next, until enough were
# found: to order all of 2,000 by id and to take 64 costs eighty times what two do.
# In the order of their ids, whatever join the planner chooses: `after` goes on behind the last one.
_DUE_DESTINATIONS = text(f"""
    WITH RECURSIVE next (id, before) AS (
        SELECT min(destination_id), CAST(0 AS BIGINT) FROM postback
        WHERE {_WAITING} AND destination_id > :after
        UNION ALL
        SELECT (SELECT min(destination_id) FROM postback
                WHERE {_WAITING} AND destination_id > next.id),
               next.before + (SELECT count(*) FROM destination d
                              WHERE d.id = next.id AND {_MAY_SEND})
        FROM next WHERE next.id IS NOT NULL AND next.before < :many
    ),
    sending AS (
        SELECT destination_id AS id, count(*) AS number
        FROM postback WHERE state = {PostbackState.SENDING:d} GROUP BY destination_id
    )
    SELECT d.id, d.account_id, d.failures, coalesce(sending.number, 0) AS sending, d.tracker,
           d.settings
    FROM next JOIN destination d ON d.id = next.id LEFT JOIN sending ON sending.id = d.id
    WHERE {_MAY_SEND} ORDER BY next.id LIMIT :many
""").bindparams(bindparam("full", expanding=True))

# Due, and no older status of the same lead still has its turn. The unique
# index (lead, destination, sequence) answers the inner question.
_IN_TURN = f"""
    p.state = {PostbackState.WAITING:d} AND p.due <= :now AND p.destination_id = d.id
    AND (p.sequence = 1 OR NOT EXISTS (
        SELECT 1 FROM postback o
        WHERE o.lead_id = p.lead_id AND o.destination_id = p.destination_id
        AND o.sequence < p.sequence
        AND (o.state = {PostbackState.SENDING:d}
             OR (o.state = {PostbackState.WAITING:d} AND (o.tries = 0 OR d.every_event)))))
    ORDER BY p.due, p.id
"""

_TAKEN = """
    RETURNING postback.id, destination_id, event, occurrence, tries, steps, first_try,
              adapter_state
"""

_TAKE_POSTGRESQL = text(f"""
    UPDATE postback SET state = {PostbackState.SENDING:d}, lease = :lease, lease_until = :until
    FROM (
        SELECT turn.id FROM unnest(:ids, :rooms) AS allowed (id, room)
        JOIN destination d ON d.id = allowed.id
        CROSS JOIN LATERAL (SELECT p.id FROM postback p WHERE {_IN_TURN} LIMIT allowed.room) turn
    ) taken
    WHERE postback.id = taken.id {_TAKEN}
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)), bindparam("rooms", type_=ARRAY(BigInteger))
)

_TAKE_SQLITE = text(f"""
    UPDATE postback SET state = {PostbackState.SENDING:d}, lease = :lease, lease_until = :until
    WHERE id IN (
        SELECT p.id FROM postback p JOIN destination d ON d.id = :id WHERE {_IN_TURN} LIMIT :room
    ) {_TAKEN}
""")

# A try that failed and has a newer sibling is not repeated: the tracker would
# get the older status last. (A late row is SUPERSEDED itself and counts as no sibling.)
_SUPERSEDE = text(f"""
    UPDATE postback SET state = {PostbackState.SUPERSEDED:d}, reason = :reason, settled = :now,
                        lease = NULL, lease_until = NULL
    WHERE id IN :ids AND occurrence = 0
    AND NOT (SELECT every_event FROM destination d WHERE d.id = postback.destination_id)
    AND EXISTS (SELECT 1 FROM postback n
        WHERE n.lead_id = postback.lead_id AND n.destination_id = postback.destination_id
        AND n.sequence > postback.sequence AND n.state <> {PostbackState.SUPERSEDED:d})
    RETURNING id
""").bindparams(bindparam("ids", expanding=True))


def claim(
    connection: Connection,
    *,
    now: float,
    lease: str,
    until: float,
    after: int,
    room_for: Callable[[DueDestination, int], int],
    most: int,
    full: Collection[int] = (),
) -> ClaimResult:
    """Lease at most `most` postbacks of several destinations. The caller commits.

    `room_for` says how many rows of a destination may be taken, at most so many. Destinations
    are visited round-robin, beginning behind the id `after`, those of the accounts
    `full` not at all. While more wait than it looks at, each gets only a few. `lease` is
    the holder's token, good until `until`.
    """
    lock(connection, AdvisoryLock.CLAIM_POSTBACKS)
    due = _due_destinations(connection, now, after, full)
    rooms: list[tuple[int, int]] = []
    share = _FAIR if len(due) >= _ROUND else most
    left = most
    for destination in due:
        room = room_for(destination, min(share, left))
        if room > 0:
            rooms.append((destination.id, room))
            left -= room
    params = {"lease": lease, "now": now, "until": until}
    rows = _take(connection, rooms, params) if rooms else []
    if retried := [row.id for row in rows if row.tries]:
        params = {"ids": retried, "now": now, "reason": SUPERSEDED}
        superseded = set(connection.scalars(_SUPERSEDE, params))
        rows = [row for row in rows if row.id not in superseded]
    last = after  # while nobody may be sent to, it stays whose turn it was
    if rooms:
        last = rooms[-1][0] if len(rooms) < len(due) or len(due) >= _ROUND else 0
    elif len(due) >= _ROUND:  # there are more than were looked at
        last = due[-1].id
    return ClaimResult(_claimed(rows, due), last)


def _due_destinations(
    connection: Connection, now: float, after: int, full: Collection[int]
) -> list[DueDestination]:
    params = {"after": after, "now": now, "many": _ROUND, "full": list(full)}
    rows = connection.execute(_DUE_DESTINATIONS, params).all()
    if after and len(rows) < _ROUND:  # come round to the beginning
        params |= {"after": 0, "many": _ROUND - len(rows)}
        more = connection.execute(_DUE_DESTINATIONS, params)
        rows = [*rows, *(row for row in more if row.id <= after)]
    return [DueDestination(*row) for row in rows]


def _take(
    connection: Connection, rooms: Sequence[tuple[int, int]], params: dict[str, Any]
) -> Sequence[Row[Any]]:
    if is_postgresql(connection):
        ids, sizes = zip(*rooms, strict=True)
        params |= {"ids": list(ids), "rooms": list(sizes)}
        return connection.execute(_TAKE_POSTGRESQL, params).all()
    taken: list[Row[Any]] = []
    for id_, room in rooms:
        taken += connection.execute(_TAKE_SQLITE, params | {"id": id_, "room": room}).all()
    return taken


def _claimed(rows: Sequence[Row[Any]], due: Sequence[DueDestination]) -> list[ClaimedPostback]:
    destinations = {destination.id: destination for destination in due}
    return [
        ClaimedPostback(
            id=row.id,
            destination_id=row.destination_id,
            event=row.event,
            occurrence=row.occurrence,
            tries=row.tries,
            steps=row.steps,
            first_try=row.first_try,
            adapter_state=row.adapter_state,
            tracker=destinations[row.destination_id].tracker,
            settings=destinations[row.destination_id].settings,
            failures=destinations[row.destination_id].failures,
            account_id=destinations[row.destination_id].account_id,
        )
        for row in rows
    ]
