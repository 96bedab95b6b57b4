"""Fields of journal/*."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from app.domain.telegram.evidence import Arrival
from app.errors import translatable
from app.models import Action
from app.schemas import fields
from app.schemas.base import Output
from app.schemas.pagination import Page, Period


class JournalFilter(Period):
    """The journal of one chat of one bot, or of all without both; the period is that of `time`."""

    bot = fields.Int(1)
    chat = fields.Int()
    action = fields.Int(min(Action), max(Action))

    @validates_schema
    def check_pair(self, data: dict[str, Any], **_: Any) -> None:
        """A bot and its chat are named together: a chat may have had several bots."""
        for name, other in (("bot", "chat"), ("chat", "bot")):
            if other in data and name not in data:
                raise ValidationError(
                    translatable("is required beside %(other)s", other=other), name
                )


class JournalList(JournalFilter, Page):
    """The same, a page at a time."""


class Origin(fields.Field[str]):
    """Whether a lead event belongs to a lead: `paid` or `organic`."""

    def _show(self, value: Any) -> str:
        return "organic" if value is None else "paid"


class ArrivalName(fields.Field[str]):
    """By which way a person came: `link`, `other_link`, `request`, `folder`, or empty."""

    def _show(self, value: Any) -> str:
        return Arrival(value).label


class JournalOut(Output):
    """A row of `journal/list`; `lead` is 0 for an organic one."""

    id = fields.Int()
    bot = fields.Int(attribute="bot_id")
    chat = fields.Int(attribute="chat_id")
    subscriber = fields.Int()
    username = fields.Text()
    action = fields.Int()
    type = Origin(attribute="lead_id", dump_only=True)
    campaign = fields.Int(attribute="campaign_id")
    lead = fields.Int(attribute="lead_id", null_as=0)
    time = fields.UtcText()
    how = ArrivalName(attribute="arrival", dump_only=True)
    link_name = fields.Text()


class LeadJournalOut(JournalOut):
    """A journal entry of one lead, with what it did in words."""

    decision = fields.Text()
