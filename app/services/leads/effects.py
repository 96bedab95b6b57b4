"""Effects: reports and welcomes of the lead machine become postbacks, notices and messages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import orjson
from sqlalchemy import Connection, Row, or_, select, update

from app.database.direct import among, fetch
from app.database.rows import insert_rows, is_postgresql
from app.domain import events, welcome
from app.domain.media.limits import CAPTION
from app.models import Campaign, Destination, DestinationStatus, Message, MessageState, table_of
from app.observability.traces import traces
from app.services import postbacks
from app.services.accounts import notifications
from app.services.postbacks import NewPostback
from app.services.trackers import url_templates
from plugins.contract import Event, EventKind, translatable

if TYPE_CHECKING:
    from app.domain.lead import Report
    from app.services.leads.batch import LeadContext

_DESTINATIONS: Final = table_of(Destination)
_MESSAGES: Final = table_of(Message)
_CAMPAIGNS: Final = table_of(Campaign)
_MESSAGE_COLUMNS: Final = (
    "account_id bot_id chat_id campaign_id lead_id text media parse_mode entities markup state"
    " reason tries due created"
).split()
_DESTINATION_COLUMNS: Final = "id account_id campaign_id role events every_event".split()
#: The bit of `Destination.events` for each kind of event.
_BIT: Final = {kind: url_templates.events_mask([kind]) for kind in EventKind}


@dataclass(frozen=True, slots=True)
class StagedCounts:
    """How many postbacks and messages were staged; `reports` are the postbacks, for traces."""

    postbacks: int = 0
    messages: int = 0
    reports: Sequence[NewPostback] = field(default=(), compare=False)


def prepare_effects(
    connection: Connection, reports: Sequence[tuple[LeadContext, Report]], now: float
) -> list[NewPostback]:
    """Note the reports for the owners. Returns the postbacks to the destinations in force."""
    notifications.lead_events(connection, _count_events(reports), now)
    destinations = find_destinations(
        connection, {context.campaign.id: context.campaign.account_id for context, _ in reports}
    )
    return [
        _new_postback(context, report, destination)
        for context, report in reports
        for destination in destinations[context.campaign.id]
        if destination.events & _BIT[report.kind]
    ]


def stage_effects(
    connection: Connection,
    new_postbacks: Sequence[NewPostback],
    welcomes: Sequence[LeadContext],
    now: float,
    *,
    is_rest: bool = False,
) -> StagedCounts:
    """Write postbacks, of those that `prepare_effects` has returned, and welcomes.

    `is_rest` says that they are what `stage_leased` has left. `now` in Unix seconds is when all
    of them are due. No statement returns rows. No commit.
    """
    (postbacks.stage_rest if is_rest else postbacks.stage)(connection, new_postbacks, now)
    messages = []
    faults: dict[int, tuple[str, str]] = {}
    for context in welcomes:
        campaign = context.campaign
        if campaign.welcome.strip() or campaign.media:
            values, fault = _welcome_values(context, now)
            messages.append(values)
            if fault and not campaign.welcome_fault:
                faults[campaign.id] = campaign.welcome, fault
    insert_rows(connection, _MESSAGES, _MESSAGE_COLUMNS, messages)
    _flag_campaigns(connection, faults)
    return StagedCounts(len(new_postbacks), len(messages), new_postbacks)


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


def find_destinations(
    connection: Connection, accounts: Mapping[int, int]
) -> dict[int, list[Row[Any]]]:
    """The destinations in force for each campaign; `accounts` are the owners by campaign."""
    if not accounts:
        return {}
    params = {"accounts": list(set(accounts.values())), "campaigns": list(accounts)}
    by_owner: dict[tuple[int, int | None], list[Any]] = defaultdict(list)
    for row in fetch(connection, _destinations_of(is_postgresql(connection)), params):
        by_owner[row.account_id, row.campaign_id].append(row)
    return {
        campaign: url_templates.in_force([*by_owner[account, campaign], *by_owner[account, None]])
        for campaign, account in accounts.items()
    }


@cache
def _destinations_of(postgresql: bool) -> Any:
    """Select the destinations of accounts that are for some campaigns or for all."""
    row = _DESTINATIONS.c
    return (
        select(*(row[name] for name in _DESTINATION_COLUMNS))
        .where(
            among(postgresql, row.account_id, "accounts"),
            or_(row.campaign_id.is_(None), among(postgresql, row.campaign_id, "campaigns")),
            row.status != DestinationStatus.DELETED,
        )
        .order_by(row.id)
    )


def _new_postback(context: LeadContext, report: Report, destination: Row[Any]) -> NewPostback:
    event = _event(
        context,
        kind=report.kind,
        time=report.time,
        click=report.click,
        joined=report.joined,
        sequence=report.sequence,
    )
    brought_by = (context.campaign.bot_id, report.update_id) if traces.on else None
    return NewPostback(
        account_id=context.campaign.account_id,
        campaign_id=context.campaign.id,
        lead_id=context.id or 0,
        destination_id=destination.id,
        sequence=report.sequence,
        kind=report.kind.value,
        event=events.serialize(event, report.origin, brought_by),
        superseded=report.late and not destination.every_event,
    )


def _event(context: LeadContext, *, sequence: int, **fields: Any) -> Event:
    """An event with the campaign and the person filled in; `fields` are all the others."""
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
        **fields,
    )


def _flag_campaigns(connection: Connection, faults: Mapping[int, tuple[str, str]]) -> None:
    """Keep the fault of each campaign by its id, unless its welcome was edited meanwhile."""
    for campaign, (template, fault) in sorted(faults.items()):
        unchanged = (_CAMPAIGNS.c.id == campaign, _CAMPAIGNS.c.welcome == template)
        connection.execute(update(_CAMPAIGNS).where(*unchanged).values(welcome_fault=fault))


def _welcome_values(context: LeadContext, now: float) -> tuple[tuple[Any, ...], str]:
    """The welcome of a lead, its macros filled in as for a `wait` event of the last start.

    Returns its row, and what the owner should mend or "".
    """
    campaign, lead = context.campaign, context.lead
    assert lead is not None  # noqa: S101 - only a lead is welcomed
    event = _event(
        context,
        sequence=lead.reports,
        kind=EventKind.WAIT,
        time=lead.last_start_at,
        click=lead.click,
        joined=lead.join_time,
    )
    limit = CAPTION if campaign.media else welcome.MAX_TEXT
    text, entities, fault = welcome.render(campaign.welcome, event, limit)
    try:
        button = _button(campaign, event)
    except ValueError as error:  # saved by a release that checked less
        button, fault = (
            "",
            fault or translatable("%(name)s: %(doubt)s", name="button_url", doubt=str(error)),
        )
    values = (
        campaign.account_id, campaign.bot_id, context.person.id, campaign.id, context.id,
        text, campaign.media or None, "", orjson.dumps(entities).decode() if entities else "",
        button, int(MessageState.WAITING), "", 0, now, now,
    )  # fmt: skip
    return values, fault


def _button(campaign: Row[Any], event: Event) -> str:
    """The campaign's button as reply_markup, or empty if it has none."""
    if not (campaign.button_text and campaign.button_url):
        return ""
    url = welcome.button_url(campaign.button_url, event)
    button = {"text": campaign.button_text, "url": url}
    return orjson.dumps({"inline_keyboard": [[button]]}).decode()
