"""Reports of a conversion to the destinations of its lead's campaign. Nothing here commits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, select, text, update

from app.database.rows import increment_rows
from app.domain import events
from app.domain.attribution import NO_ORIGIN, How, Origin
from app.domain.conversions.report import decimal_text
from app.domain.time_ranges import DAY
from app.models import Campaign, CampaignStatus, Conversion, ConversionDay, Lead, table_of
from app.models.account import IS_SUSPENDED_SQL
from app.models.postback import FIRST_CONVERSION
from app.observability.traces import traces
from app.services import postbacks
from app.services.leads.effects import find_destinations
from app.services.postbacks import NewPostback
from app.services.trackers.url_templates import events_mask
from plugins.contract import ConversionKind, Event

_CONVERSIONS: Final = table_of(Conversion)
_DAYS: Final = table_of(ConversionDay)
_DAY_KEYS: Final = ("campaign_id", "day", "kind", "currency")
_DAY_COUNTERS: Final = ("count", "value_micro")
_LEADS: Final = table_of(Lead)
_CAMPAIGNS: Final = table_of(Campaign)
_PERSON: Final = "id subscriber username first_name last_name premium language click join_time"
_OF_LEAD: Final = (
    select(
        *(_LEADS.c[name] for name in _PERSON.split()),
        *(_LEADS.c[name] for name in ("campaign_id", "how", "source_id", "click_id")),
        _CAMPAIGNS.c.account_id,
        _CAMPAIGNS.c.code,
        _CAMPAIGNS.c.chat_id,
        _CAMPAIGNS.c.chat_title,
        _CAMPAIGNS.c.status,
    )
    .join(_CAMPAIGNS, _CAMPAIGNS.c.id == _LEADS.c.campaign_id)
    .with_for_update(of=_LEADS)
)
#: Of all that were ever reported of a lead, whoever owned it.
_NEWEST: Final = select(func.max(_CONVERSIONS.c.reported)).where(
    _CONVERSIONS.c.lead_id == bindparam("lead")
)
#: Which of the clicks that became this lead the sender has named.
_NAMED_CLICK: Final = text("""
    SELECT id, source_id FROM click
    WHERE lead_id = :lead AND account_id = :account AND (external = :click OR token = :click)
    ORDER BY id DESC LIMIT 1
""")
_SUSPENDED: Final = text("SELECT " + IS_SUSPENDED_SQL.format(owner=":account"))


def report_sequence(number: int) -> int:
    """Return the sequence of a lead's postbacks for the report `number`, counted from 1."""
    return FIRST_CONVERSION - 1 + number


def attach(connection: Connection, conversion_id: int, lead_id: int, now: float) -> int:
    """Give a conversion without a lead to its lead, count it and report it.

    The caller has locked or just written the conversion. Returns how many postbacks were staged.
    """
    lead = connection.execute(_OF_LEAD.where(_LEADS.c.id == lead_id)).one()
    connection.execute(
        update(_CONVERSIONS)
        .where(_CONVERSIONS.c.id == conversion_id)
        .values(lead_id=lead.id, campaign_id=lead.campaign_id, subscriber=None)
    )
    conversion = _conversion(connection, conversion_id)
    count(connection, conversion, 1, conversion.value_micro or 0)
    return _stage(connection, conversion, lead, now)


def report_again(connection: Connection, conversion_id: int, now: float) -> int:
    """Report a conversion whose value has changed; what still waits of it is superseded."""
    conversion = _conversion(connection, conversion_id)
    lead = connection.execute(_OF_LEAD.where(_LEADS.c.id == conversion.lead_id)).one()
    if conversion.reported:
        postbacks.supersede_report(connection, lead.id, report_sequence(conversion.reported), now)
    return _stage(connection, conversion, lead, now)


def count(connection: Connection, conversion: Any, number: int, value_micro: int) -> None:
    """Add to the sums of the conversion's campaign and day."""
    key = (
        conversion.campaign_id, conversion.time // DAY, conversion.kind, conversion.currency,
    )  # fmt: skip
    increment_rows(connection, _DAYS, _DAY_KEYS, _DAY_COUNTERS, [(*key, number, value_micro)])


def _conversion(connection: Connection, conversion_id: int) -> Row[Any]:
    return connection.execute(select(_CONVERSIONS).where(_CONVERSIONS.c.id == conversion_id)).one()


def _stage(connection: Connection, conversion: Any, lead: Any, now: float) -> int:
    """Stage a postback for each destination that wants it; the lead is locked."""
    if lead.status != CampaignStatus.ACTIVE or lead.subscriber < 0:
        return 0
    if connection.scalar(_SUSPENDED, {"account": lead.account_id, "now": now}):
        return 0
    number = (connection.scalar(_NEWEST, {"lead": lead.id}) or 0) + 1
    connection.execute(
        update(_CONVERSIONS).where(_CONVERSIONS.c.id == conversion.id).values(reported=number)
    )
    kind = ConversionKind(conversion.kind)
    event, origin = _event(conversion, lead, number), _origin(connection, conversion, lead)
    unanswered = events.serialize(event, origin)
    earlier = _earlier(connection, conversion)
    owners = {lead.campaign_id: lead.account_id}
    new_postbacks = [
        NewPostback(
            account_id=lead.account_id,
            campaign_id=lead.campaign_id,
            lead_id=lead.id,
            destination_id=destination.id,
            sequence=report_sequence(number),
            kind=kind.value,
            event=events.serialize(replace(event, earlier=earlier[destination.id]), origin)
            if destination.id in earlier
            else unanswered,
        )
        for destination in find_destinations(connection, owners)[lead.campaign_id]
        if destination.events & events_mask([kind])
    ]
    postbacks.stage(connection, new_postbacks, now)
    if traces.on:
        traces.postbacks_staged(new_postbacks, now)
    return len(new_postbacks)


def _earlier(connection: Connection, conversion: Any) -> Mapping[int, Mapping[str, str | int]]:
    """What trackers answered to the last report of the same conversion, by destination."""
    if not conversion.reported:
        return {}
    earlier = report_sequence(conversion.reported)
    return postbacks.left_by_report(connection, conversion.lead_id, earlier)


def _origin(connection: Connection, conversion: Any, lead: Any) -> Origin:
    """Where the money came from: the click that its sender named, else the lead's."""
    if conversion.click not in ("", lead.click):
        params = {"lead": lead.id, "account": lead.account_id, "click": conversion.click}
        row = connection.execute(_NAMED_CLICK, params).first()
        if row is None:
            return NO_ORIGIN
        how = How(lead.how) if row.id == lead.click_id else How.ORGANIC
        return Origin(how, row.source_id, row.id)
    return Origin(How(lead.how), lead.source_id, lead.click_id)


def _event(conversion: Any, lead: Any, number: int) -> Event:
    return Event(
        id=f"{lead.code}-{lead.id}-c{conversion.id}",
        kind=ConversionKind(conversion.kind),
        time=conversion.time,
        lead=lead.id,
        account=lead.account_id,
        campaign=lead.code,
        chat=lead.chat_id,
        subscriber=lead.subscriber,
        # The lead's newest click may be another; the money belongs to the one that was named.
        click=conversion.click or lead.click,
        username=lead.username,
        first_name=lead.first_name,
        last_name=lead.last_name,
        title=lead.chat_title,
        premium=lead.premium,
        language=lead.language,
        joined=lead.join_time,
        sequence=number,
        value=decimal_text(conversion.value_micro),
        currency=conversion.currency,
        name=conversion.name,
        revision=conversion.revision,
    )
