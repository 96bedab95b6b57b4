"""Fields of clicks/*."""

from typing import Any

from app.domain.clicks.link_query import MAX_EXTERNAL, QueryFlag
from app.domain.clicks.payloads import TOKEN_LENGTH
from app.schemas import fields
from app.schemas.base import Output
from app.schemas.pagination import Page


class ClicksList(Page):
    """Which clicks; the period is that of `created`."""

    source = fields.Int(1)
    token = fields.Text(TOKEN_LENGTH)
    external = fields.Text(MAX_EXTERNAL)
    joined = fields.Boolean()
    pressed = fields.Boolean()


class HasFlag(fields.Field[bool]):
    """Whether one bit of the flags is set."""

    def __init__(self, flag: QueryFlag, **options: Any) -> None:
        super().__init__(attribute="flags", dump_only=True, **options)
        self.flag = flag

    def _show(self, value: int) -> bool:
        return bool(value & self.flag)


class ClickOut(Output):
    """A row of `clicks/list`. `lead` is 0 for a click that became none.

    `pressed` is zeros for a visitor of a page who has not gone on. `site` is 0 without one.
    """

    id = fields.Int()
    source = fields.Int(attribute="source_id")
    campaign = fields.Int(attribute="campaign_id")
    token = fields.Text()
    external = fields.Text()
    lead = fields.Int(attribute="lead_id", null_as=0)
    site = fields.Int(attribute="site_id", null_as=0)
    country = fields.Text()
    created = fields.UtcText()
    pressed = fields.UtcText()


class ClickDetail(ClickOut):
    """`clicks/get`. `cut`: something was too long to be kept. `unreplaced`: a macro stood there.

    `no_consent`: the visitor agreed to nothing. `invalid_id`: an fbc or fbp that Meta would not
    take was dropped. Of address and browser it is only told whether they are kept.
    """

    landing = fields.Text()
    referrer = fields.Text()
    ids = fields.TextMap(dump_only=True)
    utm = fields.TextMap(dump_only=True)
    subs = fields.TextMap(dump_only=True)
    ad = fields.TextMap(dump_only=True)
    cut = HasFlag(QueryFlag.CUT)
    unreplaced = HasFlag(QueryFlag.UNREPLACED)
    no_consent = HasFlag(QueryFlag.NO_CONSENT)
    invalid_id = HasFlag(QueryFlag.INVALID_ID)
    city = fields.Text()
    ip = fields.IsPresent(dump_only=True)
    user_agent = fields.IsPresent(attribute="ua", dump_only=True)
