"""Hands out links and stores clicks step by step, in the caller's transaction.

SQLite has one writer at a time, and a statement is no trip: the steps of the one statement in
`postgresql` without its locks.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select, text

from app.database.connections import begin_writing
from app.database.rows import increment_rows, insert_rows
from app.models import Click, InviteState, SourceDay, table_of
from app.services.clicks.grouped.owners import current_owners
from app.services.clicks.grouped.visit import (
    COLUMNS,
    COUNTERS,
    Counts,
    PoolOrder,
    Stored,
    Visit,
    counts_of,
)

_CLICKS: Final = table_of(Click)
_DAYS: Final = table_of(SourceDay)
_HAND_OUT: Final = text(f"""
    UPDATE invite
    SET state = {InviteState.HANDED_OUT:d}, handed_out = :now, source_id = :source, token = :token
    WHERE id = (
        SELECT id FROM invite
        WHERE state = {InviteState.POOL:d} AND bot_id = :bot_id AND chat_id = :chat_id
            AND kind = :kind AND expires > :until
        ORDER BY expires LIMIT 1
    )
    RETURNING link, expires
""")  # noqa: S608 - our own constants


def store(connection: Connection, visits: Sequence[Visit], late: Counts) -> list[Stored]:
    """Store visits, whose tokens differ, and add their counts and `late` ones."""
    begin_writing(connection)  # or another process stores one of these meanwhile
    tokens = [visit.click["token"] for visit in visits if visit.click]
    repeated = set(connection.scalars(select(_CLICKS.c.token).where(_CLICKS.c.token.in_(tokens))))
    results: list[Stored] = []
    written: list[Visit] = []
    for visit in visits:
        if visit.click and visit.click["token"] in repeated:
            results.append(Stored(is_repeat=True))
            continue
        results.append(_hand_out(connection, visit, visit.order) if visit.order else Stored())
        if visit.order is None or results[-1].link is not None:
            written.append(visit)
    _insert(connection, written)
    _count(connection, counts_of(written) + late)
    return results


def _hand_out(connection: Connection, visit: Visit, order: PoolOrder) -> Stored:
    row = connection.execute(
        _HAND_OUT,
        {
            "now": int(visit.now),
            "until": int(visit.now) + order.link_ttl,
            "source": visit.source_id,
            "token": order.token,
            "bot_id": order.bot_id,
            "chat_id": order.chat_id,
            "kind": int(order.kind),
        },
    ).first()
    return Stored(row.link, row.expires) if row else Stored()


def _insert(connection: Connection, visits: Sequence[Visit]) -> None:
    clicks = [visit.click for visit in visits if visit.click]
    if not clicks:
        return
    ids = {click["source_id"] for click in clicks}
    owners = current_owners(connection, ids)
    rows = [
        {**click, "account_id": owners.get(click["source_id"], click["account_id"])}
        for click in clicks
    ]
    insert_rows(connection, _CLICKS, COLUMNS, [[row[name] for name in COLUMNS] for row in rows])


def _count(connection: Connection, counts: Counts) -> None:
    days: dict[tuple[int, int], dict[str, int]] = {}
    for (source, day, counter), count in counts.items():
        days.setdefault((source, day), dict.fromkeys(COUNTERS, 0))[counter] += count
    rows = [(*place, *numbers.values()) for place, numbers in sorted(days.items())]
    increment_rows(connection, _DAYS, ("source_id", "day"), COUNTERS, rows)
