"""Whose a source is at the moment at which its clicks are stored."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, select

from app.models import Source, table_of

_SOURCES: Final = table_of(Source)


def current_owners(connection: Connection, sources: Collection[int]) -> dict[int, int]:
    """The accounts that have these sources now.

    A transfer that begins now waits until the click is committed, and finds it. A click does
    not wait for one that has begun: `settlement` brings it along later.
    """
    query = select(_SOURCES.c.id, _SOURCES.c.account_id).where(_SOURCES.c.id.in_(sources))
    locked = query.order_by(_SOURCES.c.id).with_for_update(read=True, skip_locked=True)
    owners = {row.id: row.account_id for row in connection.execute(locked)}
    if missing := set(sources) - set(owners):
        unlocked = query.where(_SOURCES.c.id.in_(missing))
        owners |= {row.id: row.account_id for row in connection.execute(unlocked)}
    return owners
