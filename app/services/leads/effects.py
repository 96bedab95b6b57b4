"""Reports: what the lead machine said, turned into postbacks and messages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import Connection, Row, bindparam, or_, select

from app.database import insert_rows
from app.domain import events, welcome
from app.domain.media import CAPTION
from app.models import Destination, DestinationStatus, Message, table_of
from app.services import postbacks
from app.services.accounts import notifications
from app.services.trackers import url_templates
from plugins.contract import Event, EventKind

if TYPE_CHECKING:
    from app.domain.lead import Report
    from app.services.leads.batch import LeadContext

_DESTINATIONS: Final = table_of(Destination)
_MESSAGES: Final = table_of(Message)
_MESSAGE: Final = (
    "account_id bot_id chat_id campaign_id lead_id text media parse_mode markup state reason"
    " tries due created"
).split()
_LIVING: Final = (
    select(*(_DESTINATIONS.c[name] for name in "id account_id campaign_id role events".split()))
    .add_columns(_DESTINATIONS.c.every_event)
    .where(
        _DESTINATIONS.c.account_id.in_(bindparam("accounts", expanding=True)),
        or_(
            _DESTINATIONS.c.campaign_id.is_(None),
            _DESTINATIONS.c.campaign_id.in_(bindparam("campaigns", expanding=True)),
        ),
        _DESTINATIONS.c.status != DestinationStatus.DELETED,
    )
    .order_by(_DESTINATIONS.c.id)
)
_BIT: Final = {kind: 1 << index for index, kind in enumerate(EventKind)}


@dataclass(frozen=True, slots=True)
class StagedCounts:
    """How much there is to send."""

    postbacks: int = 0
    messages: int = 0


def stage_effects(
    connection: Connection,
    reports: Sequence[tuple[LeadContext, Report]],
    welcomes: Sequence[LeadContext],
    now: float,
) -> StagedCounts:
    """Stage postbacks for the destinations in force, and welcomes. No commit."""
    ways = _in_force(connection, [context for context, _ in reports])
    owed = [
        _owed(context, report, way)
        for context, report in reports
        for way in ways[context.campaign.id]
        if way.events & _BIT[report.kind]
    ]
    postbacks.stage(connection, owed, now)
    notifications.lead_events(connection, _count_events(reports), now)
    messages = [
        _welcome(context, now)
        for context in welcomes
        if context.campaign.welcome.strip() or context.campaign.media
    ]
    insert_rows(connection, _MESSAGES, _MESSAGE, messages)
    return StagedCounts(len(owed), len(messages))


def _count_events(
    reports: Sequence[tuple[LeadContext, Report]],
) -> Mapping[notifications.CampaignEvents, int]:
    """How many reports there are of each kind in each campaign."""
    return Counter(
        notifications.CampaignEvents(
            context.campaign.account_id,
            context.campaign.id,
            context.campaign.notify_level,
            report.kind,
        )
        for context, report in reports
    )


def _in_force(connection: Connection, contexts: Sequence[LeadContext]) -> dict[int, list[Row[Any]]]:
    """For each campaign: its own templates or else its account's, and what is connected."""
    campaigns = {context.campaign.id: context.campaign.account_id for context in contexts}
    if not campaigns:
        return {}
    terms = {"accounts": list(set(campaigns.values())), "campaigns": list(campaigns)}
    rows = connection.execute(_LIVING, terms).all()
    by_owner: dict[tuple[int, int | None], list[Any]] = defaultdict(list)
    for row in rows:
        by_owner[row.account_id, row.campaign_id].append(row)
    return {
        campaign: url_templates.in_force([*by_owner[account, campaign], *by_owner[account, None]])
        for campaign, account in campaigns.items()
    }


def _owed(context: LeadContext, report: Report, way: Row[Any]) -> postbacks.NewPostback:
    return postbacks.NewPostback(
        account_id=context.campaign.account_id,
        campaign_id=context.campaign.id,
        lead_id=context.id or 0,
        destination_id=way.id,
        sequence=report.sequence,
        kind=report.kind.value,
        event=events.serialize(_event(context, report)),
        late=report.late and not way.every_event,
    )


def _event(context: LeadContext, report: Report) -> Event:
    return _described(
        context,
        kind=report.kind,
        time=report.time,
        click=report.click,
        joined=report.joined,
        sequence=report.sequence,
    )


def _described(context: LeadContext, *, sequence: int, **said: Any) -> Event:
    campaign, person = context.campaign, context.person
    return Event(
        id=f"{campaign.code}-{context.id}-{sequence}",
        lead=context.id or 0,
        account=campaign.account_id,
        campaign=campaign.code,
        chat=campaign.chat_id,
        title=campaign.chat_title,
        subscriber=person.id,
        username=person.username,
        first_name=person.first_name,
        last_name=person.last_name,
        premium=person.premium,
        language=person.language,
        sequence=sequence,
        **said,
    )


def _welcome(context: LeadContext, now: float) -> tuple[Any, ...]:
    campaign, lead = context.campaign, context.lead
    assert lead is not None  # noqa: S101 - only a lead is welcomed
    event = _described(
        context, sequence=lead.reports, kind=EventKind.WAIT, time=lead.last_start_at,
        click=lead.click, joined=lead.join_time,
    )  # fmt: skip
    markup = ""
    if campaign.button_text and campaign.button_url:
        button = {
            "text": campaign.button_text,
            "url": welcome.button_url(campaign.button_url, event),
        }
        markup = orjson.dumps({"inline_keyboard": [[button]]}).decode()
    text = welcome.welcome_text(
        campaign.welcome, event, CAPTION if campaign.media else welcome.MAX_TEXT
    )
    return (
        campaign.account_id, campaign.bot_id, context.person.id, campaign.id, context.id,
        text, campaign.media or None, "Markdown", markup, 0, "", 0, now, now,
    )  # fmt: skip
