"""Moves or deletes, in bulk, the rows that belong to campaigns. Nothing is committed here.

The callers hold the bots' updates back (`inbox.hold`), so no lead changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Select, case, delete, select, update

from app.models import (
    Attempt,
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    Click,
    Conversion,
    ConversionDay,
    Destination,
    EventKey,
    Invite,
    InviteKind,
    JoinDay,
    JoinRequest,
    JournalEntry,
    Lead,
    Message,
    Notice,
    Postback,
    Source,
    SourceDay,
    table_of,
)

_LEADS: Final = table_of(Lead)
_POSTBACKS: Final = table_of(Postback)
_ATTEMPTS: Final = table_of(Attempt)
_JOURNAL: Final = table_of(JournalEntry)
_MESSAGES: Final = table_of(Message)
_DESTINATIONS: Final = table_of(Destination)
_NOTICES: Final = table_of(Notice)
_SOURCES: Final = table_of(Source)
_SOURCE_DAYS: Final = table_of(SourceDay)
_CLICKS: Final = table_of(Click)
_CONVERSIONS: Final = table_of(Conversion)
_EVENT_KEYS: Final = table_of(EventKey)
_INVITES: Final = table_of(Invite)
_REQUESTS: Final = table_of(JoinRequest)
_COUNTERS: Final = tuple(
    table_of(model)
    for model in (CampaignDay, CampaignQuarter, CampaignCohort, ConversionDay, JoinDay)
)


def reassign_sources(connection: Connection, campaigns: Sequence[int], recipient: int) -> None:
    """Reassign the campaigns' sources to `recipient`, and their clicks.

    It waits for clicks that are being stored, and no click waits for it (`clicks.store`), so it
    comes last in its transaction.
    """
    reassign_clicks(connection, campaigns, recipient)
    connection.execute(
        update(_SOURCES).where(_SOURCES.c.campaign_id.in_(campaigns)).values(account_id=recipient)
    )
    reassign_clicks(connection, campaigns, recipient)  # those that came meanwhile


def reassign_clicks(connection: Connection, campaigns: Sequence[int], recipient: int) -> None:
    """Reassign the clicks of the campaigns' sources to `recipient`."""
    connection.execute(
        update(_CLICKS)
        .where(_CLICKS.c.source_id.in_(_sources(campaigns)), _CLICKS.c.account_id != recipient)
        .values(account_id=recipient)
    )


def reassign_destinations(connection: Connection, campaigns: Sequence[int], recipient: int) -> None:
    """Reassign the campaigns' own templates and destinations to `recipient`.

    Their keys for events are deleted: whoever has one reports to the giver.
    """
    connection.execute(delete(_EVENT_KEYS).where(_EVENT_KEYS.c.campaign_id.in_(campaigns)))
    connection.execute(
        update(_DESTINATIONS)
        .where(_DESTINATIONS.c.campaign_id.in_(campaigns))
        .values(account_id=recipient)
    )
    connection.execute(delete(_NOTICES).where(_NOTICES.c.campaign_id.in_(campaigns)))


def reassign_history(
    connection: Connection,
    campaigns: Sequence[int],
    recipient: int,
    *,
    old_bots: Sequence[int],
    bot: int,
) -> None:
    """Reassign leads, requests, journal and messages to `recipient` and to their `bot`.

    A postback is reassigned if its destination belongs to one of the campaigns.
    """
    own = select(_DESTINATIONS.c.id).where(_DESTINATIONS.c.campaign_id.in_(campaigns))
    connection.execute(
        update(_POSTBACKS)
        .where(_POSTBACKS.c.lead_id.in_(_leads(campaigns)))
        .where(_POSTBACKS.c.destination_id.in_(own))
        .values(account_id=recipient)
    )
    connection.execute(
        update(_LEADS)
        .where(_LEADS.c.campaign_id.in_(campaigns))
        .values(account_id=recipient, bot_id=bot)
    )
    connection.execute(
        update(_REQUESTS)
        .where(_REQUESTS.c.campaign_id.in_(campaigns))
        .values(account_id=recipient, bot_id=bot)
    )
    reassign_conversions(connection, campaigns, recipient)
    connection.execute(
        update(_JOURNAL)
        .where(_JOURNAL.c.bot_id.in_(old_bots), _JOURNAL.c.campaign_id.in_(campaigns))
        .values(account_id=recipient, bot_id=bot)
    )
    connection.execute(
        update(_MESSAGES)
        .where(_MESSAGES.c.bot_id.in_(old_bots), _MESSAGES.c.campaign_id.in_(campaigns))
        .values(account_id=recipient)
    )


def reassign_conversions(connection: Connection, campaigns: Sequence[int], recipient: int) -> None:
    """Reassign the conversions of leads to `recipient`; those still without a lead stay.

    Ids that came by the giver's API must not meet the recipient's: their key becomes the giver
    below zero, and 0 again when they come back.
    """
    key, owner = _CONVERSIONS.c.key_id, _CONVERSIONS.c.account_id
    connection.execute(
        update(_CONVERSIONS)
        .where(_CONVERSIONS.c.campaign_id.in_(campaigns), _CONVERSIONS.c.lead_id.is_not(None))
        .values(
            account_id=recipient,
            key_id=case((key == 0, -owner), (key == -recipient, 0), else_=key),
        )
    )


def delete_history(
    connection: Connection, campaigns: Sequence[int], *, old_bots: Sequence[int]
) -> None:
    """Delete leads and all that belongs to them, and the campaigns' counters, for good."""
    for table in (_CONVERSIONS, _REQUESTS):
        connection.execute(delete(table).where(table.c.campaign_id.in_(campaigns)))
    owed = select(_POSTBACKS.c.id).where(_POSTBACKS.c.lead_id.in_(_leads(campaigns)))
    connection.execute(delete(_ATTEMPTS).where(_ATTEMPTS.c.postback_id.in_(owed)))
    connection.execute(delete(_POSTBACKS).where(_POSTBACKS.c.lead_id.in_(_leads(campaigns))))
    connection.execute(delete(_LEADS).where(_LEADS.c.campaign_id.in_(campaigns)))
    for table in (_CLICKS, _SOURCE_DAYS):
        connection.execute(delete(table).where(table.c.source_id.in_(_sources(campaigns))))
    of_clicks = (_INVITES.c.source_id.in_(_sources(campaigns)), _INVITES.c.kind != InviteKind.NAMED)
    connection.execute(delete(_INVITES).where(*of_clicks))
    for table in (_JOURNAL, _MESSAGES):
        connection.execute(
            delete(table).where(table.c.bot_id.in_(old_bots), table.c.campaign_id.in_(campaigns))
        )
    for table in _COUNTERS:
        connection.execute(delete(table).where(table.c.campaign_id.in_(campaigns)))


def _sources(campaigns: Sequence[int]) -> Select[tuple[int]]:
    return select(_SOURCES.c.id).where(_SOURCES.c.campaign_id.in_(campaigns))


def _leads(campaigns: Sequence[int]) -> Select[tuple[int]]:
    return select(_LEADS.c.id).where(_LEADS.c.campaign_id.in_(campaigns))
