"""Fields of leads/*."""

from __future__ import annotations

from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.journal import HappeningOut
from app.schemas.pagination import Period, Slice
from app.schemas.postbacks import PostbackOut


class LeadsExport(Period):
    """Which leads; the period is that of `start_time`."""

    campaign = fields.Int(1)
    status = fields.Int(0, 4)


class LeadsList(Slice, LeadsExport):
    """The same, a page at a time."""


class Subscriber(Input):
    """A person by their Telegram id."""

    subscriber = fields.Int(1, required=True)


class LeadId(Input):
    """Which lead."""

    id = fields.Int(1, required=True)


class LeadOut(Output):
    """A row of `leads/list`."""

    id = fields.Int()
    campaign = fields.Int(attribute="campaign_id")
    subscriber = fields.Int()
    username = fields.Text()
    click = fields.Text()
    status = fields.Int(attribute="state")
    start_time = fields.Stamp()
    join_time = fields.Stamp()
    updated = fields.Stamp()


class LeadPerson(LeadOut):
    """A lead with what Telegram told of the person."""

    first_name = fields.Text()
    last_name = fields.Text()
    language = fields.Text()
    premium = fields.Flag()


class LeadStory(Output):
    """`leads/get` beside the lead's own fields: how it came to be what it is."""

    journal = fields.List(fields.Nested(HappeningOut))
    postbacks = fields.List(fields.Nested(PostbackOut))
