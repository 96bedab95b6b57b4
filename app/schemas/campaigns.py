"""Fields of camp/*."""

from typing import Any

from marshmallow import post_load

from app.models import DeskMode, GreetOn
from app.schemas import fields
from app.schemas.base import ById, Output
from app.schemas.bots import BotFaultOut
from app.schemas.profile import LONGEST_URL, Templates
from app.services.trackers.url_templates import FIELDS


class CampaignEdit(Templates, ById):
    """Absent fields stay as they are, except that any `pb_*` rewrites all five."""

    welcome = fields.Text(4096)
    media = fields.Text(64, pattern=r"[A-Za-z0-9_-]*")
    button_text = fields.Text(64)
    button_url = fields.Text(LONGEST_URL)
    unsub_window = fields.Int(0)
    notify_level = fields.Int(0, 3)
    desk = fields.EnumName(DeskMode)
    desk_cap = fields.Int(0, 100_000)
    desk_quiet_from = fields.Int(0, 1439)
    desk_quiet_to = fields.Int(0, 1439)
    greet = fields.Text(4096)
    greet_button = fields.Text(64)
    greet_media = fields.Text(64, pattern=r"[A-Za-z0-9_-]*")
    greet_on = fields.EnumName(GreetOn)

    @post_load
    def gather(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the `pb_*` together under `urls`, if there are any."""
        urls = {field: data.pop(field) for field in FIELDS if field in data}
        return {**data, "urls": urls} if urls else data


class CampaignAdd(CampaignEdit):
    """A new campaign."""

    class Meta(CampaignEdit.Meta):
        """Options of marshmallow."""

        exclude = ("id",)

    bot = fields.Int(1, required=True)
    chat = fields.Int(required=True)


class CampaignAdded(Output):
    """`camp/add`. `code` stands in the deep links."""

    id = fields.Int()
    code = fields.Text()


class CampaignLink(ById):
    """A deep link, for one click or with the macro left in it."""

    click = fields.Text(1024, load_default="")


class CampaignCounted(Output):
    """A campaign and its counters, in the order of AlterCPA TOP."""

    id = fields.Int()
    code = fields.Text()
    bot = fields.Int()
    bot_username = fields.Text()
    chat = fields.Int()
    chat_title = fields.Text()
    status = fields.Int()
    starts = fields.Int()
    confirms = fields.Int()
    unsubs = fields.Int()
    created = fields.UtcText()


class CampaignOut(CampaignCounted):
    """A row of `camp/list`.

    `bot_status` is the `status` of `bots/list`, and `faults` are those of the bot that keep this
    campaign from working.
    """

    bot_status = fields.Int()
    faults = fields.List(fields.Nested(BotFaultOut))


class CampaignDetail(CampaignCounted):
    """`camp/get`. `welcome_fault` is what was left out of the welcome, and why.

    `desk` is off, all or rules; `desk_quiet_*` are minutes of the account's day.
    """

    welcome = fields.Text()
    media = fields.Text()
    button_text = fields.Text()
    button_url = fields.Text()
    pb_wait = fields.Text()
    pb_hold = fields.Text()
    pb_approve = fields.Text()
    pb_cancel = fields.Text()
    pb_trash = fields.Text()
    unsub_window = fields.Int()
    notify_level = fields.Int()
    desk = fields.EnumName(DeskMode, dump_only=True)
    desk_cap = fields.Int()
    desk_quiet_from = fields.Int()
    desk_quiet_to = fields.Int()
    greet = fields.Text()
    greet_button = fields.Text()
    greet_media = fields.Text()
    greet_on = fields.EnumName(GreetOn, dump_only=True)
    welcome_fault = fields.TranslatedText()
    bot_status = fields.Int()
    faults = fields.List(fields.Nested(BotFaultOut))


class TrackerLinkOut(Output):
    """The link to paste into one tracker of the campaign, with its macro for the click id."""

    tracker = fields.Text()
    macro = fields.Text()
    link = fields.Text()


class LinkOut(Output):
    """`camp/link`. `trackers` are those whose macro is known; none where `click` is given."""

    link = fields.Text()
    trackers = fields.List(fields.Nested(TrackerLinkOut))
