"""Fields of sources/*."""

from typing import Any, Final

from marshmallow import ValidationError

from app.errors import translatable
from app.models import SourceFallback, SourceMode
from app.schemas import fields
from app.schemas.base import ById, Input, Output
from app.schemas.pagination import OptionalPage

LONGEST_TITLE: Final = 64
LONGEST_PARAM: Final = 64
#: How long an invite link can be used at least, in seconds.
SHORTEST_TTL: Final = 3600
LONGEST_TTL: Final = 604_800
#: For how long a click counts, in seconds: no longer than it is kept.
SHORTEST_LOOKBACK: Final = 3600
LONGEST_LOOKBACK: Final = 7_776_000
#: Names of parameters as they stand in links.
_PARAM: Final = r"[A-Za-z0-9_.-]+"


class SubMap(fields.TextMap):
    """Which names of the query are kept as which sub: an object, or in a form its JSON text."""

    def _read(self, value: Any) -> dict[str, str]:
        if isinstance(value, str):
            value = fields.json_of(value)
        if not isinstance(value, dict):
            raise ValidationError(translatable("must be an object, or its JSON text"))
        name = fields.Text(LONGEST_PARAM, pattern=_PARAM)
        return {
            str(name.deserialize(key)): str(name.deserialize(text)) for key, text in value.items()
        }


class SourcesList(OptionalPage):
    """`limit` sources from `offset` on, or all of them; of one campaign, or of all."""

    campaign = fields.Int(1)


class LinkSettings(Input):
    """Which links of Telegram a source gives, for how long they can be used, and how they count.

    `link_ttl` and `lookback` are in seconds. `force` allows a `mode` that does not
    tell where people come from, since the chat is public. With `bridge` visitors get a page
    with a button, for apps that follow no link to Telegram.
    """

    mode = fields.EnumName(SourceMode)
    link_ttl = fields.Int(SHORTEST_TTL, LONGEST_TTL)
    lookback = fields.Int(SHORTEST_LOOKBACK, LONGEST_LOOKBACK)
    fallback = fields.EnumName(SourceFallback)
    bridge = fields.Boolean()
    force = fields.Boolean()


class SourceEdit(LinkSettings, ById):
    """Absent fields stay as they are."""

    title = fields.Text(LONGEST_TITLE, not_empty=True)
    click_param = fields.Text(LONGEST_PARAM, pattern=_PARAM)
    sub_map = SubMap()


class SourceAdd(LinkSettings):
    """A new link of a campaign."""

    campaign = fields.Int(1, required=True)
    title = fields.Text(LONGEST_TITLE, not_empty=True, required=True)
    click_param = fields.Text(LONGEST_PARAM, pattern=_PARAM)
    sub_map = SubMap()


class SourceAdded(Output):
    """`sources/add`. The link is `/c/<code>`."""

    id = fields.Int()
    code = fields.Text()


class SourceOut(Output):
    """A source with what its link has counted."""

    id = fields.Int()
    campaign = fields.Int()
    code = fields.Text()
    title = fields.Text()
    click_param = fields.Text()
    sub_map = SubMap()
    status = fields.Int()
    clicks = fields.Int()
    repeats = fields.Int()
    previews = fields.Int()
    paused = fields.Int()
    visits = fields.Int()
    fallbacks = fields.Int()
    mode = fields.EnumName(SourceMode)
    link_ttl = fields.Int()
    lookback = fields.Int()
    fallback = fields.EnumName(SourceFallback)
    bridge = fields.Boolean()
    created = fields.UtcText()


class SourceLinks(ById):
    """Which source; with `qr` its links come with a QR code each."""

    qr = fields.Boolean(load_default=False)


class SourceLinkOut(Output):
    """A link. `kind` is source for those of ads, whose `tracker` is empty without a click id.

    `start` leads to the bot without a click, and `named` is the invite link that all share, if
    the source has one. `qr` is an SVG, or empty.
    """

    kind = fields.Text()
    tracker = fields.Text()
    macro = fields.Text()
    link = fields.Text()
    qr = fields.Text()
