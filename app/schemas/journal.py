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


def _paid_or_organic(lead_id: int | None) -> str:
    return "organic" if lead_id is None else "paid"


class JournalOut(Output):
    """A row of `journal/list`. Its `type` is paid, or organic where `lead` is 0.

    `how` is by which way a person came: link, other_link, request, folder, or empty.
    """

    id = fields.Int()
    bot = fields.Int(attribute="bot_id")
    chat = fields.Int(attribute="chat_id")
    subscriber = fields.Int()
    username = fields.Text()
    action = fields.Int()
    type = fields.ShownText(_paid_or_organic, attribute="lead_id")
    campaign = fields.Int(attribute="campaign_id")
    lead = fields.Int(attribute="lead_id", null_as=0)
    time = fields.UtcText()
    how = fields.ShownText(lambda arrival: Arrival(arrival).label, attribute="arrival")
    link_name = fields.Text()


class LeadJournalOut(JournalOut):
    """A journal entry of one lead, with what it did in words."""

    decision = fields.Text()
