"""Fields of events/*."""

from typing import Final

from app.domain.conversions.report import LONGEST_NAME, LONGEST_NOTE, decimal_text
from app.models.conversion import LONGEST_CLICK, LONGEST_TID
from app.schemas import fields
from app.schemas.base import ById, Input, Output
from app.schemas.event_keys import CURRENCY
from app.schemas.pagination import Page, Period
from plugins.contract import ConversionKind

#: Milliseconds of the year 9999.
LATEST: Final = 253_402_300_799_000
#: A decimal number; as text, since a number of JSON may lose its digits on the way.
AMOUNT: Final = r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,6})?"


class EventAdd(Input):
    """An event of a lead; `lead`, `subscriber`, `click` or `tid` says whose."""

    event = fields.Text(LONGEST_NAME, required=True, not_empty=True)
    name = fields.Text(LONGEST_NAME)
    value = fields.Text(20, pattern=AMOUNT)
    currency = fields.Text(3, pattern=CURRENCY)
    tid = fields.Text(LONGEST_TID)
    click = fields.Text(LONGEST_CLICK)
    lead = fields.Int(1)
    subscriber = fields.Int(1)
    time = fields.Int(0, LATEST)
    note = fields.Text(LONGEST_NOTE)


class EventAdded(Output):
    """`is_new` is false for an event that was there already; `lead` is 0 while none is known."""

    id = fields.Int()
    lead = fields.Int()
    is_new = fields.Boolean()


class EventValue(ById):
    """Another value; without `currency` that of the earlier value stays."""

    value = fields.Text(20, required=True, pattern=AMOUNT)
    currency = fields.Text(3, pattern=CURRENCY)


class EventsFilter(Period):
    """Which events; the period is that of `time`. `lead` 0: those without one."""

    campaign = fields.Int(1)
    lead = fields.Int(0)
    event = fields.Choice(*ConversionKind)
    click = fields.Text(LONGEST_CLICK)
    tid = fields.Text(LONGEST_TID)


class EventsList(EventsFilter, Page):
    """The same, a page at a time."""


class EventOut(Output):
    """A row of `events/list`. `lead` is 0 while no lead with its click is known."""

    id = fields.Int()
    event = fields.Text(attribute="kind")
    name = fields.Text()
    campaign = fields.Int(attribute="campaign_id", null_as=0)
    lead = fields.Int(attribute="lead_id", null_as=0)
    click = fields.Text()
    value = fields.ShownText(decimal_text, attribute="value_micro")
    currency = fields.Text()
    tid = fields.Text()
    note = fields.Text()
    key = fields.Int(attribute="key_id")
    time = fields.UtcText()
    created = fields.UtcText()


class ConversionsRange(Period):
    """Whole UTC days, of all campaigns or of one; without ends the last 30 days."""

    campaign = fields.Int(1)


class ConversionsSumOut(Output):
    """A row of `stats/conversions`: of one kind, the number of events and their sum."""

    event = fields.Text(attribute="kind")
    currency = fields.Text()
    count = fields.Int()
    value = fields.ShownText(decimal_text, attribute="value_micro")
