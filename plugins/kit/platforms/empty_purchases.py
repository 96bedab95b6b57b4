"""Purchases whose value nobody knows yet: they wait for it, or are sent with 0."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import fields, validate

from plugins.contract import ConversionKind, Event

WAIT: Final = "wait"
ZERO: Final = "zero"


def empty_purchase_field() -> fields.String:
    """What becomes of a purchase whose value nobody knows yet."""
    return fields.String(
        load_default=WAIT,
        validate=validate.OneOf([WAIT, ZERO]),
        metadata={
            "title": "A purchase without a value",
            "help": "waits for its value, or is sent with 0 in your currency",
        },
    )


def is_empty_purchase(event: Event) -> bool:
    """Whether this is a purchase whose value nobody knows yet."""
    return event.kind is ConversionKind.PURCHASE and not event.value


def after_empty_purchase(event: Event) -> Mapping[str, str] | None:
    """What a later report should know once a platform has taken `event`: that it had no value."""
    return {"value": "0"} if is_empty_purchase(event) else None


def was_sent_with_zero(event: Event) -> bool:
    """Whether a platform has taken this purchase before, with 0."""
    return event.earlier.get("value") == "0"


def sends_zero(settings: Mapping[str, Any]) -> bool:
    """Whether such a purchase is sent with 0. No platform takes money without a currency."""
    return settings.get("empty_purchase") == ZERO and bool(settings["currency"])
