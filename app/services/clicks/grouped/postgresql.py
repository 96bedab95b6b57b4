"""Hands out links and stores clicks with one statement, which is a transaction by itself.

One trip to PostgreSQL and one flush to disk serve all who wait, and nothing lies between the
hand-out of a link and the click that it belongs to.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import orjson
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.dialects import postgresql

from app.models import Click, InviteState, table_of
from app.services.clicks.grouped.visit import COLUMNS, COUNTERS, MOST, Counts, Stored, Visit

# Two who take a link at once neither wait for each other nor get the same. A link is changed by
# its place, which no plan turns into a look through all of them.
# A source's row is locked where that needs no waiting, see `owners.current_owners`; counters come
# last and in one order, so that they are held for the flush alone and nobody for each other.
_STATEMENT: Final = """
WITH setting AS MATERIALIZED (SELECT set_config('lock_timeout', :patience, true) AS value),
data AS MATERIALIZED (
    SELECT data.* FROM setting, json_to_recordset(CAST(:visits AS json)) AS data ({columns})
    WHERE setting.value IS NOT NULL LIMIT {most}
),
wishes AS MATERIALIZED (
    SELECT data.*, row_number() OVER (PARTITION BY bot_id, chat_id, kind ORDER BY n) AS turn
    FROM data
    WHERE bot_id IS NOT NULL
        AND NOT (has_click AND EXISTS (SELECT 1 FROM click WHERE click.token = data.token))
),
pools AS MATERIALIZED (
    SELECT bot_id, chat_id, kind, max(until) AS until, count(*) AS wanted
    FROM wishes GROUP BY bot_id, chat_id, kind
),
taken AS MATERIALIZED (
    SELECT pools.bot_id, pools.chat_id, pools.kind, free.place,
        row_number() OVER (
            PARTITION BY pools.bot_id, pools.chat_id, pools.kind ORDER BY free.expires
        ) AS turn
    FROM pools CROSS JOIN LATERAL (
        SELECT invite.ctid AS place, invite.expires FROM invite
        WHERE invite.state = {pool} AND invite.bot_id = pools.bot_id
            AND invite.chat_id = pools.chat_id AND invite.kind = pools.kind
            AND invite.expires > pools.until
        ORDER BY invite.expires LIMIT pools.wanted FOR UPDATE SKIP LOCKED
    ) free
    LIMIT {most}
),
handed_out AS (
    UPDATE invite
    SET state = {handed_out}, handed_out = wishes.now, source_id = wishes.source_id,
        token = wishes.token
    FROM wishes JOIN taken USING (bot_id, chat_id, kind, turn)
    WHERE invite.ctid = taken.place
    RETURNING wishes.n, invite.link, invite.expires
),
owners AS MATERIALIZED (
    SELECT source.id, source.account_id FROM source
    WHERE source.id IN (SELECT source_id FROM data WHERE has_click)
    ORDER BY source.id FOR SHARE SKIP LOCKED
),
stored AS (
    INSERT INTO click ({names})
    SELECT {values}
    FROM data
    LEFT JOIN handed_out ON handed_out.n = data.n
    LEFT JOIN owners ON owners.id = data.source_id
    LEFT JOIN source ON source.id = data.source_id
    WHERE data.has_click AND (data.bot_id IS NULL OR handed_out.n IS NOT NULL)
    ON CONFLICT (token) DO NOTHING
    RETURNING token
),
counts AS (
    SELECT data.source_id, data.day, counter.name, 1 AS times
    FROM data CROSS JOIN LATERAL json_array_elements_text(data.counters) AS counter (name)
    WHERE NOT data.has_click OR data.token IN (SELECT token FROM stored)
    UNION ALL
    SELECT late.* FROM json_to_recordset(CAST(:late AS json))
        AS late (source_id bigint, day integer, name text, times integer)
),
counted AS (
    INSERT INTO source_day AS old (source_id, day, {counters})
    SELECT source_id, day, {sums} FROM counts
    WHERE :counting GROUP BY source_id, day ORDER BY source_id, day
    ON CONFLICT (source_id, day) DO UPDATE SET {added}
)
SELECT data.n, handed_out.link, handed_out.expires,
    data.has_click AND stored.token IS NULL AND (
        data.bot_id IS NULL OR handed_out.n IS NOT NULL
        OR EXISTS (SELECT 1 FROM click WHERE click.token = data.token)
    ) AS is_repeat
FROM data
LEFT JOIN handed_out ON handed_out.n = data.n
LEFT JOIN stored ON stored.token = data.token
"""
_OWN: Final = (
    "n integer, now bigint, day integer, counters json, has_click boolean, bot_id bigint,"
    " chat_id bigint, kind smallint, until bigint"
)


def store(
    connection: Connection, visits: Sequence[Visit], late: Counts, patience: int, *, counting: bool
) -> list[Stored]:
    """Store visits, whose tokens differ, and add their counts and `late` ones if `counting`.

    `connection` is in autocommit. What somebody else holds is waited for so many milliseconds.
    """
    rows = connection.execute(
        statement(),
        parameters(visits, late) | {"patience": str(patience), "counting": counting},
    )
    results = {row.n: Stored(row.link, row.expires, is_repeat=row.is_repeat) for row in rows}
    return [results[n] for n in range(len(visits))]


def parameters(visits: Sequence[Visit], late: Counts) -> dict[str, Any]:
    """Return the rows that the statement reads, as JSON."""
    more = [
        {"source_id": source, "day": day, "name": name, "times": times}
        for (source, day, name), times in late.items()
    ]
    rows = [_row(number, visit) for number, visit in enumerate(visits)]
    return {"visits": orjson.dumps(rows).decode(), "late": orjson.dumps(more).decode()}


def _row(number: int, visit: Visit) -> dict[str, Any]:
    order = visit.order
    own = {
        "n": number,
        "now": int(visit.now),
        "day": visit.day,
        "counters": visit.counters,
        "has_click": visit.click is not None,
        "source_id": visit.source_id,
    }
    wish = {
        "bot_id": order.bot_id,
        "chat_id": order.chat_id,
        "kind": int(order.kind),
        "until": int(visit.now) + order.link_ttl,
        "token": order.token,
    } if order else {}  # fmt: skip
    return {**(visit.click or {}), **own, **wish}


@lru_cache(maxsize=1)
def statement() -> TextClause:
    """Return the statement; it takes `parameters`, the patience, and whether to count."""
    columns = table_of(Click).c
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    typed = ", ".join(f"{name} {columns[name].type.compile(dialect=dialect)}" for name in COLUMNS)
    owner = "coalesce(owners.account_id, source.account_id, data.account_id)"
    return text(
        _STATEMENT.format(
            columns=f"{_OWN}, {typed}",
            most=MOST,
            pool=int(InviteState.POOL),
            handed_out=int(InviteState.HANDED_OUT),
            names=", ".join(COLUMNS),
            values=", ".join(owner if name == "account_id" else f"data.{name}" for name in COLUMNS),
            counters=", ".join(COUNTERS),
            sums=", ".join(
                f"coalesce(sum(times) FILTER (WHERE name = '{name}'), 0)" for name in COUNTERS
            ),
            added=", ".join(f"{name} = old.{name} + excluded.{name}" for name in COUNTERS),
        )
    )
