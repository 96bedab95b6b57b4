"""Deletes the history of campaigns a part at a time, so that nobody waits for all of it.

A transfer without leads deletes what may be millions of rows. In one transaction that would hold
SQLite's only writer, and the clock, for minutes. So each call of `delete_part` deletes so much that
its caller can commit soon, and `delete_rest` what is left when the campaigns go.

The callers hold the bots' updates back (`inbox.hold`), so no lead changes meanwhile.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, delete, select

from app.models import (
    Attempt,
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    Click,
    Conversion,
    ConversionDay,
    Invite,
    InviteKind,
    JoinDay,
    JoinRequest,
    JournalEntry,
    Lead,
    Message,
    Postback,
    Source,
    SourceDay,
    table_of,
)

#: Leads of one part; each may have some postbacks, entries and messages.
LEADS: Final = 100
#: Rows of any other kind in one part.
ROWS: Final = 500

_LEADS: Final = table_of(Lead)
_POSTBACKS: Final = table_of(Postback)
_ATTEMPTS: Final = table_of(Attempt)
_JOURNAL: Final = table_of(JournalEntry)
_MESSAGES: Final = table_of(Message)
_SOURCES: Final = table_of(Source)
_SOURCE_DAYS: Final = table_of(SourceDay)
_CLICKS: Final = table_of(Click)
_CONVERSIONS: Final = table_of(Conversion)
_INVITES: Final = table_of(Invite)
_REQUESTS: Final = table_of(JoinRequest)
_COUNTERS: Final = tuple(
    table_of(model)
    for model in (CampaignDay, CampaignQuarter, CampaignCohort, ConversionDay, JoinDay)
)


def delete_part(connection: Connection, campaigns: Sequence[int], bots: Sequence[int]) -> bool:
    """Delete some of the campaigns' history. False if there was none left. No commit."""
    steps: tuple[Callable[[], bool], ...] = (
        lambda: _leads(connection, campaigns, bots),
        lambda: _organic_entries(connection, campaigns),
        lambda: _delete(connection, _REQUESTS.c.id, _REQUESTS.c.campaign_id.in_(campaigns)),
        lambda: _clicks(connection, campaigns),
        lambda: _counters(connection, campaigns),
    )
    return any(step() for step in steps)


def delete_rest(connection: Connection, campaigns: Sequence[int], bots: Sequence[int]) -> None:
    """Delete what is left of the campaigns' history, also what came meanwhile. No commit.

    It also deletes the few rows that `delete_part` does not look for: conversions without a lead,
    and entries and messages that these bots wrote of people who became no lead.
    """
    while delete_part(connection, campaigns, bots):
        pass
    connection.execute(delete(_CONVERSIONS).where(_CONVERSIONS.c.campaign_id.in_(campaigns)))
    for table in (_JOURNAL, _MESSAGES):
        connection.execute(
            delete(table).where(table.c.bot_id.in_(bots), table.c.campaign_id.in_(campaigns))
        )


def _leads(connection: Connection, campaigns: Sequence[int], bots: Sequence[int]) -> bool:
    """Delete some leads with all rows about them; only postbacks while those are too many."""
    some = select(_LEADS.c.id, _LEADS.c.subscriber).where(_LEADS.c.campaign_id.in_(campaigns))
    leads = connection.execute(some.limit(LEADS)).all()
    if not leads:
        return False
    ids = [lead.id for lead in leads]
    of_leads = select(_POSTBACKS.c.id).where(_POSTBACKS.c.lead_id.in_(ids))
    postbacks = connection.scalars(of_leads.limit(ROWS)).all()
    connection.execute(delete(_ATTEMPTS).where(_ATTEMPTS.c.postback_id.in_(postbacks)))
    connection.execute(delete(_POSTBACKS).where(_POSTBACKS.c.id.in_(postbacks)))
    if len(postbacks) == ROWS:
        return True  # there may be more
    connection.execute(delete(_JOURNAL).where(_JOURNAL.c.lead_id.in_(ids)))
    connection.execute(delete(_CONVERSIONS).where(_CONVERSIONS.c.lead_id.in_(ids)))
    connection.execute(
        delete(_MESSAGES).where(
            _MESSAGES.c.bot_id.in_(bots),
            _MESSAGES.c.chat_id.in_([lead.subscriber for lead in leads]),
            _MESSAGES.c.campaign_id.in_(campaigns),
        )
    )
    connection.execute(delete(_LEADS).where(_LEADS.c.id.in_(ids)))
    return True


def _organic_entries(connection: Connection, campaigns: Sequence[int]) -> bool:
    row = _JOURNAL.c
    return _delete(connection, row.id, row.campaign_id.in_(campaigns), row.lead_id.is_(None))


def _clicks(connection: Connection, campaigns: Sequence[int]) -> bool:
    sources = select(_SOURCES.c.id).where(_SOURCES.c.campaign_id.in_(campaigns))
    of_clicks = (_INVITES.c.source_id.in_(sources), _INVITES.c.kind != InviteKind.NAMED)
    counted = _SOURCE_DAYS.c.source_id
    return (
        _delete(connection, _CLICKS.c.id, _CLICKS.c.source_id.in_(sources))
        or _delete(connection, _INVITES.c.id, *of_clicks)
        # One source at a time: visitors of the others wait for none of these rows.
        or _delete(connection, counted, counted.in_(sources), most=1)
    )


def _counters(connection: Connection, campaigns: Sequence[int]) -> bool:
    keys = (table.c.campaign_id for table in _COUNTERS)
    return any(_delete(connection, key, key.in_(campaigns), most=1) for key in keys)


def _delete(
    connection: Connection, key: Column[Any], *where: ColumnElement[bool], most: int | None = None
) -> bool:
    """Delete the rows of some keys, of `most` or ROWS of them. False if there are none."""
    keys = connection.scalars(select(key).where(*where).limit(most or ROWS)).all()
    if keys:
        connection.execute(delete(key.table).where(key.in_(keys)))
    return bool(keys)
