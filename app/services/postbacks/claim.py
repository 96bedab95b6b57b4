"""Claim: take due postbacks, fair over destinations and in order per lead."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Row, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.database.advisory_locks import AdvisoryLock, lock_queue
from app.database.direct import among, fetch
from app.database.rows import is_postgresql, loose_index_scan
from app.models import Account, PostbackState, table_of
from app.models.account import IS_SUSPENDED_SQL
from app.services.postbacks.claimed import ClaimedPostback
from app.services.postbacks.conditions import HAS_DUE_POSTBACKS, WAITING
from app.services.postbacks.supersede import supersede_claimed

_ROUND: Final = 256  # destinations one claim looks at
_FAIR: Final = 2  # rows of a destination in one claim, while more wait than it looks at
_HIGHEST: Final = 2**63 - 1  # id
_OWNERS: Final = table_of(Account).alias("owner")


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
    """What one claim took. `after` is the destination the next claim goes on behind.

    `is_partial`: more destinations may have due postbacks than it looked at.
    """

    postbacks: list[ClaimedPostback]
    after: int
    is_partial: bool


# Jumps in the index from one destination with waiting rows to the next, until enough were
# found: to order all of 2,000 by id and to take 64 costs eighty times what two do. `before` counts
# those that were found, so it grows behind a destination that is one of them. The first lap goes
# from `after` to the last one and ends with a row without id, the second from the first to `after`.
# In this order, whatever join the planner chooses: `after` goes on behind the last one.
# Grouped by a column that has an index, SQLite would read the whole table in that order for the
# few rows that are being sent; `+` keeps it from that.
_DUE_DESTINATIONS: Final = f"""
    WITH RECURSIVE next (id, lap, before) AS (
        SELECT min(destination_id), 1, CAST(0 AS BIGINT) FROM postback
        WHERE {WAITING} AND destination_id > :after
        UNION ALL
        SELECT (SELECT min(destination_id) FROM postback
                WHERE {WAITING} AND destination_id > coalesce(next.id, 0)
                AND destination_id <= CASE WHEN next.lap = 2 OR next.id IS NULL THEN :after
                                           ELSE {_HIGHEST} END),
               CASE WHEN next.id IS NULL THEN 2 ELSE next.lap END,
               next.before + (SELECT count(*) FROM destination d
                              WHERE d.id = next.id AND d.account_id {{not_among}}
                              AND {HAS_DUE_POSTBACKS})
        FROM next WHERE (next.id IS NOT NULL OR next.lap = 1) AND next.before < :many
    ),
    found AS (
        SELECT id, lap, lead(before) OVER (ORDER BY lap, id IS NULL, id) > before AS is_due
        FROM next
    ),
    sending AS (
        SELECT destination_id AS id, count(*) AS number
        FROM postback WHERE state = {PostbackState.SENDING:d} GROUP BY {{destination}}
    )
    SELECT d.id, d.account_id, d.failures, coalesce(sending.number, 0) AS sending, d.tracker,
           d.settings
    FROM found JOIN destination d ON d.id = found.id LEFT JOIN sending ON sending.id = d.id
    WHERE found.is_due ORDER BY found.lap, d.id LIMIT :many
"""
_DUE_POSTGRESQL: Final = text(
    _DUE_DESTINATIONS.format(not_among="<> ALL(:full)", destination="destination_id")
).bindparams(bindparam("full", type_=ARRAY(BigInteger)))
_DUE_SQLITE: Final = text(
    _DUE_DESTINATIONS.format(
        not_among="NOT IN (SELECT value FROM json_each(:full))", destination="+destination_id"
    )
)

# OFFSET keeps PostgreSQL from making one join of it, which may read the whole table.
_OTHERS_WAIT: Final = f"""
    WITH RECURSIVE {loose_index_scan("postback", "destination_id", WAITING)}
    SELECT 1 AS one FROM next WHERE EXISTS (
        SELECT 1 FROM destination d
        WHERE d.id = next.id AND d.account_id {{not_among}} AND {HAS_DUE_POSTBACKS}
        LIMIT 1 OFFSET 0
    ) LIMIT 1
"""
_OTHERS_WAIT_POSTGRESQL: Final = text(_OTHERS_WAIT.format(not_among="<> ALL(:held)")).bindparams(
    bindparam("held", type_=ARRAY(BigInteger))
)
_OTHERS_WAIT_SQLITE: Final = text(
    _OTHERS_WAIT.format(not_among="NOT IN (SELECT value FROM json_each(:held))")
)

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
        SELECT turn.id FROM unnest(:ids, :quotas) AS allowed (id, quota)
        JOIN destination d ON d.id = allowed.id
        CROSS JOIN LATERAL (SELECT p.id FROM postback p WHERE {_IN_TURN} LIMIT allowed.quota) turn
    ) taken
    WHERE postback.id = taken.id {_TAKEN}
""").bindparams(
    bindparam("ids", type_=ARRAY(BigInteger)), bindparam("quotas", type_=ARRAY(BigInteger))
)

_TAKE_SQLITE = text(f"""
    UPDATE postback SET state = {PostbackState.SENDING:d}, lease = :lease, lease_until = :until
    WHERE id IN (
        SELECT p.id FROM postback p JOIN destination d ON d.id = :id WHERE {_IN_TURN} LIMIT :quota
    ) {_TAKEN}
""")


def claim(
    connection: Connection,
    *,
    now: float,
    lease: str,
    until: float,
    after: int,
    quota_for: Callable[[DueDestination, int], int],
    most: int,
    full: Collection[int] = (),
) -> ClaimResult:
    """Lease at most `most` postbacks of several destinations. The caller commits.

    `quota_for` says how many rows of a destination may be taken, at most so many. Destinations
    are visited round-robin, beginning behind the id `after`, those of the accounts
    `full` not at all. Each gets its share of `most`, only a few rows while more wait than it
    looks at: what is meant for one that has no more rows would be kept from the next. `lease` is
    the holder's token, good until `until`.
    """
    lock_queue(connection, AdvisoryLock.CLAIM_POSTBACKS)
    due = _due_destinations(connection, now, after, full)
    quotas: list[tuple[int, int]] = []
    share = _FAIR if len(due) >= _ROUND else -(-most // max(1, len(due)))
    left = most
    for destination in due:
        quota = quota_for(destination, min(share, left))
        if quota > 0:
            quotas.append((destination.id, quota))
            left -= quota
    params = {"lease": lease, "now": now, "until": until}
    rows = _take(connection, quotas, params) if quotas else []
    superseded = supersede_claimed(connection, [row.id for row in rows if row.tries], now)
    rows = [row for row in rows if row.id not in superseded]
    last = after  # while nobody may be sent to, it stays whose turn it was
    if quotas:
        last = quotas[-1][0] if len(quotas) < len(due) or len(due) >= _ROUND else 0
    elif len(due) >= _ROUND:  # there are more than were looked at
        last = due[-1].id
    return ClaimResult(_claimed(rows, due), last, is_partial=len(due) >= _ROUND)


def others_wait(connection: Connection, held: Collection[int], now: float) -> bool:
    """Whether any account but those of `held` has postbacks that are due at `now`, Unix seconds.

    It looks at each destination that has any waiting, so ask where there are few.
    """
    statement = _OTHERS_WAIT_POSTGRESQL if is_postgresql(connection) else _OTHERS_WAIT_SQLITE
    return bool(fetch(connection, statement, {"held": list(held), "now": now}))


def suspended_among(connection: Connection, accounts: Collection[int], now: float) -> set[int]:
    """Return those of the accounts that are suspended at `now`, Unix seconds."""
    if not accounts:
        return set()
    statement = _suspended(is_postgresql(connection))
    rows = fetch(connection, statement, {"accounts": list(accounts), "now": now})
    return {row.id for row in rows}


@cache
def _suspended(postgresql: bool) -> Any:
    is_one = among(postgresql, _OWNERS.c.id, "accounts")
    return select(_OWNERS.c.id).where(is_one, text(IS_SUSPENDED_SQL.format(owner="owner.id")))


def _due_destinations(
    connection: Connection, now: float, after: int, full: Collection[int]
) -> list[DueDestination]:
    """At most `_ROUND` destinations, those behind `after` first."""
    params = {"after": after, "now": now, "many": _ROUND, "full": list(full)}
    statement = _DUE_POSTGRESQL if is_postgresql(connection) else _DUE_SQLITE
    return [DueDestination(*row) for row in fetch(connection, statement, params)]


def _take(
    connection: Connection, quotas: Sequence[tuple[int, int]], params: dict[str, Any]
) -> Sequence[Any]:
    if is_postgresql(connection):
        ids, sizes = zip(*quotas, strict=True)
        params |= {"ids": list(ids), "quotas": list(sizes)}
        return fetch(connection, _TAKE_POSTGRESQL, params)
    taken: list[Any] = []
    for id_, quota in quotas:
        taken += fetch(connection, _TAKE_SQLITE, params | {"id": id_, "quota": quota})
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
