"""The kinds of events: what becomes of a lead, and what it does later; the fields of a touch."""

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


#: What may be known of the click that brought a person. An adapter gets those that its hook
#: `touch_fields` names, as far as they are known.
TOUCH_FIELDS: Final[tuple[str, ...]] = (
    *("how", "source", "click_token", "click_time", "landing", "referrer", "ip", "ua", "country"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *(f"sub{number}" for number in range(1, 11)),
    *("ad_campaign_id", "adset_id", "ad_id", "placement"),
    *("fbclid", "fbc", "fbp", "gclid", "gbraid", "wbraid", "ttclid", "ttp", "sccid", "yclid"),
    *("ym_uid", "ga"),
)


def kind_named(name: str) -> EventKind | ConversionKind:
    """The kind of event that is written as `name`. Raises ValueError."""
    try:
        return EventKind(name)
    except ValueError:
        return ConversionKind(name)
