"""Fields of clicks/*."""

from __future__ import annotations

from typing import Any

from app.domain.clicks.link_query import MAX_EXTERNAL, QueryFlag
from app.domain.clicks.payloads import TOKEN_LENGTH
from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.pagination import Page


class ClicksList(Page):
    """Which clicks; the period is that of `created`."""

    source = fields.Int(1)
    token = fields.Text(TOKEN_LENGTH)
    external = fields.Text(MAX_EXTERNAL)
    joined = fields.Boolean()


class ClickId(Input):
    """Which click."""

    id = fields.Int(1, required=True)


class HasFlag(fields.Field[bool]):
    """Whether one bit of the flags is set."""

    def __init__(self, flag: QueryFlag, **options: Any) -> None:
        super().__init__(attribute="flags", dump_only=True, **options)
        self.flag = flag

    def _show(self, value: int) -> bool:
        return bool(value & self.flag)


class ClickOut(Output):
    """A row of `clicks/list`. `lead` is 0 for a click that became none."""

    id = fields.Int()
    source = fields.Int(attribute="source_id")
    campaign = fields.Int(attribute="campaign_id")
    token = fields.Text()
    external = fields.Text()
    lead = fields.Int(attribute="lead_id", null_as=0)
    created = fields.UtcText()


class ClickDetail(ClickOut):
    """`clicks/get`. `cut`: something was too long to be kept. `unreplaced`: a macro stood there."""

    referrer = fields.Text()
    ids = fields.TextMap(dump_only=True)
    utm = fields.TextMap(dump_only=True)
    subs = fields.TextMap(dump_only=True)
    ad = fields.TextMap(dump_only=True)
    cut = HasFlag(QueryFlag.CUT)
    unreplaced = HasFlag(QueryFlag.UNREPLACED)
