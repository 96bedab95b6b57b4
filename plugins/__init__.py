"""What a tracker author imports, as `gatepost_plugins`. Nothing here knows the application."""

from plugins import import_name
from plugins.contract import (
    ENTRY_POINT_GROUP,
    PROJECT,
    TOUCH_FIELDS,
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

import_name.register()

__all__ = [
    "ENTRY_POINT_GROUP",
    "PROJECT",
    "TOUCH_FIELDS",
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
