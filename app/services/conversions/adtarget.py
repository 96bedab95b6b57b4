"""What AdTarget's API does with conversions, done with ours: /api/v1/events/conversion, leads."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import select

from app.domain.attribution import How
from app.domain.conversions import adtarget
from app.domain.conversions.report import InvalidReport, Report, decimal_text
from app.domain.lead import State
from app.errors import BadParameter, ConversionNotFound, LeadNotFound
from app.extensions import db
from app.models import Campaign, Conversion, Destination, Lead, Postback, PostbackState
from app.services.clicks.owner import scope
from app.services.conversions import people, record
from app.services.conversions.idempotency import Answered
from app.services.conversions.people import Sender
from app.services.conversions.staging import report_sequence

MOST_CONVERSIONS: Final = 100
#: AdTarget's names of the platforms that we report to as well.
_PLATFORMS: Final[Mapping[str, str]] = {
    "meta_capi": "meta",
    "tiktok_events": "tiktok",
    "adtarget_capi": "adtarget",
    "yandex_metrica": "yandex",
}
#: AdTarget's fields of what our own checks name otherwise.
_FIELDS: Final[Mapping[str, str]] = {"time": "eventTime", "name": "customEventName"}


def report(
    account_id: int,
    subscriber: int,
    params: Mapping[str, Any],
    now: float,
    *,
    key: str = "",
    must_be_known: bool = False,
) -> Answered:
    """Record an event of a person. Without a lead it waits for one, unless `must_be_known`.

    `params` has what `schemas.adtarget.LeadEvent` takes. Without `key` equal calls are two
    events. Raises BadParameter, ChannelNotFound, LeadNotFound or KeyReused. Commits.
    """
    tid = adtarget.tid_of(account_id, key or secrets.token_hex(16))
    parsed = _read(params, subscriber, tid)

    def act() -> tuple[dict[str, Any], int]:
        sender = _sender(account_id, params)
        if must_be_known and people.newest_lead(sender, subscriber) is None:
            raise LeadNotFound
        recorded, staged = record.store(sender, parsed, now)
        return _answer(recorded.id), staged

    request = {"conversion": [subscriber, dict(params)]}
    return record.once(account_id, key, request, now, act)


def set_value(
    account_id: int,
    subscriber: int,
    conversion_id: str,
    params: Mapping[str, Any],
    now: float,
    *,
    key: str = "",
) -> Answered:
    """Set or correct the value of a person's event, and report it again. Commits.

    Raises BadParameter, LeadNotFound, ConversionNotFound or KeyReused.
    """

    def act() -> tuple[dict[str, Any], int]:
        row = _locked(account_id, subscriber, conversion_id)
        try:
            micro, currency, staged = record.set_value(
                row, params["value"], params.get("currency", ""), now
            )
        except InvalidReport as error:
            raise _refused(error) from error
        value = {"value": float(decimal_text(micro)), "currency": currency}
        return _answer(row.id) | value, staged

    request = {"conversion value": [subscriber, conversion_id, dict(params)]}
    return record.once(account_id, key, request, now, act)


def lead(account_id: int, subscriber: int, channel: str = "") -> dict[str, Any]:
    """Return what is known of a person, the newest lead of a channel or of all, with its events.

    Raises LeadNotFound or ChannelNotFound.
    """
    lead_id = people.newest_lead(_sender(account_id, {"channel_id": channel}), subscriber)
    if lead_id is None:
        raise LeadNotFound
    row = db.session.execute(
        select(Lead, Campaign.chat_id, Campaign.chat_title)
        .join(Campaign, Campaign.id == Lead.campaign_id)
        .where(Lead.id == lead_id)
    ).one()
    person: Lead = row.Lead
    conversions = db.session.scalars(
        select(Conversion)
        .where(Conversion.lead_id == lead_id, Conversion.account_id == account_id)
        .order_by(Conversion.id.desc())
        .limit(MOST_CONVERSIONS)
    ).all()
    return {
        "leadId": str(lead_id),
        "telegramUserId": person.subscriber,
        "channelId": str(row.chat_id),
        "channelTitle": row.chat_title,
        "username": person.username or None,
        "state": State(person.state).name.lower(),
        "attributed": bool(person.click) or person.source_id is not None,
        "attribution": How(person.how).label or None,
        "externalUserId": person.click or None,
        "startedAt": _milliseconds(person.start_time),
        "joinedAt": _milliseconds(person.join_time),
        "conversions": [_shown(conversion) for conversion in reversed(conversions)],
    }


def _read(params: Mapping[str, Any], subscriber: int, tid: str) -> Report:
    try:
        return adtarget.read(params, subscriber, tid)
    except InvalidReport as error:
        raise _refused(error) from error


def _refused(error: InvalidReport) -> BadParameter:
    return BadParameter(_FIELDS.get(error.field, error.field), error.message)


def _sender(account_id: int, params: Mapping[str, Any]) -> Sender:
    """Who reports, for the campaign of the channel if one is named; the site must be there."""
    scope.check_site(account_id, params)
    channel = params.get("channel_id")
    return Sender(account_id, 0, scope.find_campaign(account_id, channel) if channel else None)


def _locked(account_id: int, subscriber: int, conversion_id: str) -> Any:
    """Return the conversion of this person, locked. Raises LeadNotFound or ConversionNotFound."""
    if people.newest_lead(Sender(account_id), subscriber) is None and not _has_cold(
        account_id, subscriber
    ):
        raise LeadNotFound
    if not conversion_id.isdecimal() or len(conversion_id) > 18:
        raise ConversionNotFound
    row = record.locked(account_id, int(conversion_id))
    if row is None:
        raise ConversionNotFound
    theirs = row.subscriber
    if row.lead_id is not None:
        theirs = db.session.scalar(select(Lead.subscriber).where(Lead.id == row.lead_id))
    if theirs != subscriber:
        raise ConversionNotFound
    return row


def _has_cold(account_id: int, subscriber: int) -> bool:
    cold = select(Conversion.id).where(
        Conversion.account_id == account_id, Conversion.subscriber == subscriber
    )
    return db.session.scalar(cold.limit(1)) is not None


def _answer(conversion_id: int) -> dict[str, Any]:
    """What AdTarget answers of an event: `dispatched` says whether a platform will hear of it."""
    conversion = db.session.execute(
        select(Conversion.id, Conversion.lead_id, Conversion.reported).where(
            Conversion.id == conversion_id
        )
    ).one()
    sends = [_shown_send(row) for row in _last_postbacks(conversion)]
    return {
        "conversionId": str(conversion_id),
        "capiStatus": "pending" if sends else "skipped",
        "coldLead": conversion.lead_id is None,
        "dispatched": bool(sends),
        "sends": sends,
    }


def _last_postbacks(conversion: Any) -> Sequence[Any]:
    """The postbacks of the last report of an event."""
    if not conversion.reported or conversion.lead_id is None:
        return []
    query = (
        select(Postback.id, Postback.state, Destination.tracker)
        .join(Destination, Destination.id == Postback.destination_id)
        .where(
            Postback.lead_id == conversion.lead_id,
            Postback.sequence == report_sequence(conversion.reported),
        )
        .order_by(Postback.id)
    )
    return db.session.execute(query).all()


def _shown_send(row: Any) -> dict[str, str]:
    return {"sendId": str(row.id), "platform": _PLATFORMS.get(row.tracker, row.tracker)}


def _shown(conversion: Conversion) -> dict[str, Any]:
    kind, name = adtarget.type_of(conversion.kind, conversion.name)
    postbacks = _last_postbacks(conversion)
    value = decimal_text(conversion.value_micro)
    return {
        "conversionId": str(conversion.id),
        "eventType": kind,
        "customEventName": name or None,
        "value": float(value) if value else None,
        "currency": conversion.currency or None,
        "eventTime": _milliseconds(conversion.time),
        "capiStatus": _status(postbacks),
        "sends": [
            {**_shown_send(row), "status": PostbackState(row.state).name.lower()}
            for row in postbacks
        ],
    }


def _status(postbacks: Sequence[Any]) -> str:
    """`pending` while a platform has yet to hear of it, then `sent` or `failed`."""
    states = {PostbackState(row.state) for row in postbacks}
    if not states:
        return "skipped"
    if any(not state.is_final for state in states):
        return "pending"
    return "sent" if PostbackState.DELIVERED in states else "failed"


def _milliseconds(seconds: int | None) -> int | None:
    return None if seconds is None else 1000 * seconds
