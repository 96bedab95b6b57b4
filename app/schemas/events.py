"""Fields of events/*."""

from __future__ import annotations

from typing import Any

from app.domain.conversions.report import decimal_text
from app.models.conversion import LONGEST_CLICK, LONGEST_TID
from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.pagination import Page, Period
from plugins.contract import ConversionKind


class EventsFilter(Period):
    """Which events; the period is that of `time`. `lead` 0: those without one."""

    campaign = fields.Int(1)
    lead = fields.Int(0)
    event = fields.Choice(*ConversionKind)
    click = fields.Text(LONGEST_CLICK)
    tid = fields.Text(LONGEST_TID)


class EventsList(EventsFilter, Page):
    """The same, a page at a time."""


class EventId(Input):
    """Which event."""

    id = fields.Int(1, required=True)


class Money(fields.Field[str]):
    """A value in millionths as decimal text; empty while it is unknown."""

    def _show(self, value: Any) -> str:
        return decimal_text(value)


class EventOut(Output):
    """A row of `events/list`. `lead` is 0 while no lead with its click is known."""

    id = fields.Int()
    event = fields.Text(attribute="kind")
    name = fields.Text()
    campaign = fields.Int(attribute="campaign_id", null_as=0)
    lead = fields.Int(attribute="lead_id", null_as=0)
    click = fields.Text()
    value = Money(attribute="value_micro")
    currency = fields.Text()
    tid = fields.Text()
    note = fields.Text()
    key = fields.Int(attribute="key_id")
    time = fields.UtcText()
    created = fields.UtcText()
