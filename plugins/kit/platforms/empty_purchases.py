"""Purchases whose value nobody knows yet: they wait for it, or are sent with 0."""

from __future__ import annotations

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


def sends_zero(settings: Mapping[str, Any]) -> bool:
    """Whether such a purchase is sent with 0. No platform takes money without a currency."""
    return settings.get("empty_purchase") == ZERO and bool(settings["currency"])
