"""What a tracker author imports. Nothing here knows the application."""

from plugins.contract import (
    ENTRY_POINT_GROUP,
    PROJECT,
    ConversionKind,
    DeliveryPolicy,
    Event,
    EventKind,
    Outcome,
    RateLimit,
    Request,
    Response,
    TranslatableText,
    Verdict,
    hookimpl,
    mask,
    outcome_by_status,
    translatable,
)

__all__ = [
    "ENTRY_POINT_GROUP",
    "PROJECT",
    "ConversionKind",
    "DeliveryPolicy",
    "Event",
    "EventKind",
    "Outcome",
    "RateLimit",
    "Request",
    "Response",
    "TranslatableText",
    "Verdict",
    "hookimpl",
    "mask",
    "outcome_by_status",
    "translatable",
]
