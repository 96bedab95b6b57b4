"""Events as AdTarget's API names them, as reports of ours. Pure."""

import enum
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from app.domain.conversions import report as reports
from app.domain.conversions.report import InvalidReport, Report
from plugins.contract import ConversionKind, translatable


class EventType(enum.StrEnum):
    """AdTarget's types of events."""

    LEAD = "Lead"
    PURCHASE = "Purchase"
    COMPLETE_REGISTRATION = "CompleteRegistration"
    SUBSCRIBE = "Subscribe"
    CUSTOM = "Custom"


#: The kind that each becomes. What ours do not know keeps AdTarget's word as its name.
_KINDS: Final[Mapping[EventType, ConversionKind]] = {
    EventType.LEAD: ConversionKind.REGISTER,
    EventType.PURCHASE: ConversionKind.PURCHASE,
    EventType.COMPLETE_REGISTRATION: ConversionKind.REGISTER,
    EventType.SUBSCRIBE: ConversionKind.CUSTOM,
    EventType.CUSTOM: ConversionKind.CUSTOM,
}
_PLAIN: Final[Mapping[str, EventType]] = {
    ConversionKind.REGISTER: EventType.COMPLETE_REGISTRATION,
    ConversionKind.PURCHASE: EventType.PURCHASE,
}


def read(params: Mapping[str, Any], subscriber: int, tid: str) -> Report:
    """Return the report that a call makes of a person. Raises InvalidReport.

    `params` has what `schemas.adtarget.LeadEvent` takes. `tid` tells equal events apart.
    """
    event = EventType(params["event_type"])
    name = params.get("custom_event_name", "").strip()
    if event is EventType.CUSTOM and not name:
        raise InvalidReport("customEventName", translatable("is required for a custom event"))
    if event is EventType.PURCHASE and not params.get("value"):
        raise InvalidReport("value", translatable("is required for a purchase"))
    kind, micro = reports.read_value(params.get("value", ""), _KINDS[event])
    time = params.get("event_time")
    return Report(
        kind=kind,
        name=name if event is EventType.CUSTOM else ("" if _is_plain(event) else event.value),
        value_micro=micro,
        currency=reports.read_currency(params.get("currency", ""), "", micro),
        time=None if time is None else reports.read_time(str(time)),
        note=params.get("content_name", ""),
        click=params.get("external_user_id", ""),
        subscriber=subscriber,
        tid=tid,
        may_wait=True,
    )


def type_of(kind: str, name: str) -> tuple[str, str]:
    """Return AdTarget's type of an event of ours, and its name where the type is Custom."""
    if name in (EventType.LEAD, EventType.SUBSCRIBE):
        return name, ""
    if kind in _PLAIN:
        return _PLAIN[kind].value, ""
    return EventType.CUSTOM.value, name or kind


def tid_of(account_id: int, key: str) -> str:
    """Return the id of the event that is reported under an idempotency key."""
    digest = hashlib.sha256(f"{account_id}:{key}".encode("utf-8", "replace")).hexdigest()
    return f"{reports.DERIVED}{digest[:40]}"


def _is_plain(event: EventType) -> bool:
    return event in _PLAIN.values()
