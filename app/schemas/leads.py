"""Fields of leads/*."""

from app.domain.attribution import How
from app.schemas import fields
from app.schemas.base import Input, OfRow, Output
from app.schemas.events import EventOut
from app.schemas.journal import LeadJournalOut
from app.schemas.pagination import Page, Period
from app.schemas.postbacks import PostbackOut
from app.schemas.requests import LeadRequestOut


class LeadsExport(Period):
    """Which leads; the period is that of `start_time`.

    With `click`, `username`, `subscriber` or `search`, which is any of the three, the
    newest 1000 that fit. A username may begin with an @. By `source`, `how`, `premium` and
    `language` a list finds those among the newest 15,000 of the account or the campaign, and by
    `status` among the same; an export all.
    """

    campaign = fields.Int(1)
    status = fields.Int(0, 4)
    click = fields.Text(256, not_empty=True)
    username = fields.Text(65, not_empty=True)
    subscriber = fields.Int(1)
    text = fields.Text(256, not_empty=True, data_key="search")
    source = fields.Int(1)
    how = fields.EnumName(How)
    premium = fields.Boolean()
    language = fields.Text(16, not_empty=True)


class LeadsList(Page, LeadsExport):
    """The same, a page at a time."""


class Subscriber(Input):
    """A person by their Telegram id."""

    subscriber = fields.Int(1, required=True)


class LeadOut(Output):
    """A row of `leads/list`.

    `how` is start, link or request, by which the click is known; forwarded or named, by
    which only the source is; or empty. `confidence` says which: click, source or nothing.
    """

    id = fields.Int()
    campaign = fields.Int(attribute="campaign_id")
    subscriber = fields.Int()
    username = fields.Text()
    click = fields.Text()
    status = fields.Int(attribute="state")
    start_time = fields.UtcText()
    join_time = fields.UtcText()
    updated = fields.UtcText()
    how = fields.ShownText(lambda how: How(how).label)
    confidence = fields.ShownText(lambda how: How(how).known, attribute="how")


class LeadDetail(OfRow, LeadOut):
    """`leads/get`: the lead, what Telegram tells of the person, and how it came to be.

    `source` is 0 if none is known, and `touched` is when the evidence came. `also_seen` is the
    click of a start that a link has overruled.
    """

    row = "lead"
    beside = frozenset({"journal", "postbacks", "conversions", "requests"})

    source = fields.Int(attribute="source_id", null_as=0)
    touched = fields.UtcText()
    also_seen = fields.Text()

    first_name = fields.Text()
    last_name = fields.Text()
    language = fields.Text()
    premium = fields.Boolean()
    journal = fields.List(fields.Nested(LeadJournalOut))
    postbacks = fields.List(fields.Nested(PostbackOut))
    conversions = fields.List(fields.Nested(EventOut))
    requests = fields.List(fields.Nested(LeadRequestOut))


class Erased(Output):
    """`leads/erase`: how many leads of the subscriber were stripped."""

    count = fields.Int()
