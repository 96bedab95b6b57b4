"""Deletes the history of campaigns a part at a time, so that nobody waits for all of it.

A transfer without leads deletes what may be millions of rows. In one transaction that would hold
SQLite's only writer, and the clock, for minutes. So each call of `delete_part` deletes so much that
its caller can commit soon, and `delete_rest` what is left when the campaigns go.

The callers hold the bots' updates back (`inbox.hold`), so no lead changes meanwhile.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, select

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
        lambda: _requests(connection, campaigns),
        lambda: _clicks(connection, campaigns),
        lambda: _counters(connection, campaigns),
    )
    return any(step() for step in steps)


def delete_rest(connection: Connection, campaigns: Sequence[int], bots: Sequence[int]) -> None:
    """Delete what is left of the campaigns' history, what came meanwhile too. No commit.

    What `delete_part` does not look for is little: conversions without a lead, and entries and
    messages that these bots wrote of people who became none.
    """
    while delete_part(connection, campaigns, bots):
        pass
    connection.execute(delete(_CONVERSIONS).where(_CONVERSIONS.c.campaign_id.in_(campaigns)))
    for table in (_JOURNAL, _MESSAGES):
        connection.execute(
            delete(table).where(table.c.bot_id.in_(bots), table.c.campaign_id.in_(campaigns))
        )


def _leads(connection: Connection, campaigns: Sequence[int], bots: Sequence[int]) -> bool:
    """Delete some leads with all that tells of them, or so many of their postbacks."""
    some = select(_LEADS.c.id, _LEADS.c.subscriber).where(_LEADS.c.campaign_id.in_(campaigns))
    leads = connection.execute(some.limit(LEADS)).all()
    if not leads:
        return False
    ids = [lead.id for lead in leads]
    owed = select(_POSTBACKS.c.id).where(_POSTBACKS.c.lead_id.in_(ids))
    postbacks = connection.scalars(owed.limit(ROWS)).all()
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
    mine = (_JOURNAL.c.campaign_id.in_(campaigns), _JOURNAL.c.lead_id.is_(None))
    some = select(_JOURNAL.c.id).where(*mine).limit(ROWS)
    return _delete(connection, some, delete(_JOURNAL), _JOURNAL.c.id)


def _requests(connection: Connection, campaigns: Sequence[int]) -> bool:
    some = select(_REQUESTS.c.id).where(_REQUESTS.c.campaign_id.in_(campaigns)).limit(ROWS)
    return _delete(connection, some, delete(_REQUESTS), _REQUESTS.c.id)


def _clicks(connection: Connection, campaigns: Sequence[int]) -> bool:
    sources = select(_SOURCES.c.id).where(_SOURCES.c.campaign_id.in_(campaigns))
    clicks = select(_CLICKS.c.id).where(_CLICKS.c.source_id.in_(sources)).limit(ROWS)
    if _delete(connection, clicks, delete(_CLICKS), _CLICKS.c.id):
        return True
    of_clicks = (_INVITES.c.source_id.in_(sources), _INVITES.c.kind != InviteKind.NAMED)
    invites = select(_INVITES.c.id).where(*of_clicks).limit(ROWS)
    if _delete(connection, invites, delete(_INVITES), _INVITES.c.id):
        return True
    # One source at a time: visitors of the others wait for none of these rows.
    counted = select(_SOURCE_DAYS.c.source_id).where(_SOURCE_DAYS.c.source_id.in_(sources))
    return _delete(connection, counted.limit(1), delete(_SOURCE_DAYS), _SOURCE_DAYS.c.source_id)


def _counters(connection: Connection, campaigns: Sequence[int]) -> bool:
    for table in _COUNTERS:
        some = select(table.c.campaign_id).where(table.c.campaign_id.in_(campaigns)).limit(1)
        if _delete(connection, some, delete(table), table.c.campaign_id):
            return True
    return False


def _delete(connection: Connection, some: Select[tuple[int]], deletion: Any, key: Any) -> bool:
    """Delete the rows whose key is among `some`. False if there are none."""
    keys = connection.scalars(some).all()
    if keys:
        connection.execute(deletion.where(key.in_(keys)))
    return bool(keys)
