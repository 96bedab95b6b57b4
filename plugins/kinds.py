"""The kinds of events: what becomes of a lead, and what it does later."""

from __future__ import annotations

import enum
from typing import Final


class EventKind(enum.StrEnum):
    """What happened to the lead, in the words every tracker dialect maps from."""

    WAIT = "wait"
    HOLD = "hold"
    APPROVE = "approve"
    CANCEL = "cancel"
    TRASH = "trash"


class ConversionKind(enum.StrEnum):
    """What a lead did later, as somebody else's server told us.

    An adapter hears only of the kinds that its hook `conversion_kinds` names.
    """

    REGISTER = "register"
    PURCHASE = "purchase"
    REFUND = "refund"
    CUSTOM = "custom"


#: Every kind of event. The position of a kind never changes: stored switches count by it.
ALL_KINDS: Final[tuple[EventKind | ConversionKind, ...]] = (*EventKind, *ConversionKind)


def kind_named(name: str) -> EventKind | ConversionKind:
    """The kind of event that is written as `name`. Raises ValueError."""
    try:
        return EventKind(name)
    except ValueError:
        return ConversionKind(name)
