"""Counters by campaign and day, kept in the transaction that moves the lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects import postgresql, sqlite

from app.database import is_postgresql, rows_table
from app.domain.lead import Counts
from app.models import CampaignDay, table_of

_DAYS: Final = table_of(CampaignDay)
_NAMES: Final = "campaign_id day starts holds confirms unsubs".split()


def count(connection: Connection, counts: Mapping[tuple[int, int], Counts]) -> None:
    """Add `counts` by (campaign id, UTC day since 1970). No commit."""
    rows = [
        (campaign, day, one.starts, one.holds, one.confirms, one.unsubs)
        for (campaign, day), one in sorted(counts.items())
        if one != Counts()
    ]
    if not rows:
        return
    given = rows_table(connection, {name: _DAYS.c[name].type for name in _NAMES}, rows)
    source = select(*(given.c[name] for name in _NAMES)).where(text("true"))
    maker = postgresql.insert if is_postgresql(connection) else sqlite.insert
    statement = maker(_DAYS).from_select(_NAMES, source)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["campaign_id", "day"],
            set_={name: _DAYS.c[name] + statement.excluded[name] for name in _NAMES[2:]},
        )
    )
