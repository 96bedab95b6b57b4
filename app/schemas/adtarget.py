"""Fields of /api/v1, under the names of AdTarget's API."""

from typing import Any, Final

from marshmallow import ValidationError, pre_load

from app.domain.clicks.link_query import MAX_EXTERNAL
from app.domain.clicks.page_visit import MAX_HREF
from app.domain.conversions.adtarget import EventType
from app.domain.conversions.report import LONGEST_NAME, LONGEST_NOTE
from app.errors import translatable
from app.schemas import fields
from app.schemas.base import Input
from app.schemas.event_keys import CURRENCY
from app.schemas.events import AMOUNT, LATEST
from app.schemas.visits import LONGEST_MARK, InviteTake, VisitAdd
from plugins.kit.platforms.meta_ids import MAX_ID

LONGEST_ID: Final = 64


class Number(fields.Text):
    """A number of JSON, or its text: as decimal text, since a float may lose digits."""

    def _read(self, value: Any) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
        elif not isinstance(value, str):
            raise ValidationError(translatable("must be a number"))
        return str(super()._read(str(value)))


class Id(fields.Text):
    """An id: text, or a number."""

    def _read(self, value: Any) -> str:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return str(super()._read(str(value) if is_number else value))


class AdtargetInput(Input):
    """Parameters of one call. What is null is not there: scripts send so what they do not have."""

    @pre_load
    def without_null(self, data: Any, **_: Any) -> Any:
        """Leave the members out that are null."""
        return {name: value for name, value in data.items() if value is not None}


class Scope(AdtargetInput):
    """Which channel and which site are meant; both may be left out where that is clear."""

    channel_id = Id(LONGEST_ID, data_key="channelId")
    site_id = Id(LONGEST_ID, data_key="siteId")
    website_id = Id(LONGEST_ID, data_key="websiteId")


class Visit(Scope, VisitAdd):
    """One visitor of a page. `href` is the page's address with its query."""


class Invite(Scope, InviteTake):
    """Whose link: `tempId` as in the report of the visit, or none for a new visitor."""

    href = fields.Text(MAX_HREF)


class Fbp(AdtargetInput):
    """The fbp of a browser that was reported before as `tempId`."""

    temp_id = fields.Text(LONGEST_MARK, data_key="tempId", required=True)
    fbp = fields.Text(MAX_ID, required=True)


class LeadGet(AdtargetInput):
    """Of which channel the lead is; without it the person's newest."""

    channel_id = Id(LONGEST_ID, data_key="channelId")


class LeadEvent(Scope):
    """An event of a person whom the path names."""

    event_type = fields.Choice(*EventType, data_key="eventType", required=True)
    custom_event_name = fields.Text(LONGEST_NAME, data_key="customEventName")
    value = Number(20, pattern=AMOUNT)
    currency = fields.Text(3, pattern=CURRENCY)
    content_name = fields.Text(LONGEST_NOTE, data_key="contentName")
    external_user_id = fields.Text(MAX_EXTERNAL, data_key="externalUserId")
    event_time = fields.Int(0, LATEST, data_key="eventTime")


class Conversion(LeadEvent):
    """An event of a person, who need not be known yet."""

    telegram_user_id = fields.Int(1, data_key="telegramUserId", required=True)


class Value(AdtargetInput):
    """The value of an event that was reported before."""

    value = Number(20, pattern=AMOUNT, required=True)
    currency = fields.Text(3, pattern=CURRENCY)
