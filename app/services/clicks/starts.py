"""Starts that bring a token: the click that it stands for. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from app.domain.attribution import is_in_time
from app.domain.telegram.updates import LeadEvent
from app.models import Campaign, Click, Source, table_of
from app.services.clicks.invites.arrivals import ByInvite, Incoming, match

_CLICKS: Final = table_of(Click)
_SOURCES: Final = table_of(Source)
_CAMPAIGNS: Final = table_of(Campaign)
_BY_TOKEN: Final = (
    select(
        *(_CLICKS.c[name] for name in ("token", "id", "source_id", "external", "created")),
        _CAMPAIGNS.c.code,
        _SOURCES.c.lookback,
    )
    .join(_SOURCES, _SOURCES.c.id == _CLICKS.c.source_id)
    .join(_CAMPAIGNS, _CAMPAIGNS.c.id == _CLICKS.c.campaign_id)
    .where(_CLICKS.c.token.in_(bindparam("tokens", expanding=True)))
)


def with_evidence(
    connection: Connection, incoming: Sequence[Incoming], now: float
) -> list[tuple[LeadEvent, ByInvite | None]]:
    """Return the events with the clicks of their tokens, and what invite links tell of each."""
    events = with_clicks(connection, [entry.event for entry in incoming])
    return list(zip(events, match(connection, incoming, now), strict=True))


def with_clicks(connection: Connection, events: Sequence[LeadEvent]) -> list[LeadEvent]:
    """Fill in the clicks of events that bring a token; the others are returned as they are.

    A token of another campaign, of a click that has been deleted, or of one that is
    older than the source's look-back, brings no click. One statement, none without tokens.
    """
    tokens = {event.token for event in events if event.token}
    if not tokens:
        return list(events)
    rows = {row.token: row for row in connection.execute(_BY_TOKEN, {"tokens": list(tokens)})}
    return [_with_click(event, rows.get(event.token)) for event in events]


def _with_click(event: LeadEvent, row: Any) -> LeadEvent:
    if row is None or row.code != event.code:
        return event
    if not is_in_time(row.created, event.date, row.lookback):
        return event
    click = row.external or row.token
    return replace(event, click=click, source_id=row.source_id, click_id=row.id)
