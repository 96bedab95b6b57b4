"""Fields of requests/*."""

from __future__ import annotations

from typing import Any

from app.domain.join_requests.facts import Came
from app.domain.join_requests.rules import Verdict
from app.models import DecidedBy, RequestState
from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.pagination import Page, Period


class RequestsFilter(Period):
    """Which requests; the period is that of `asked`."""

    state = fields.EnumName(RequestState)
    campaign = fields.Int(1)
    source = fields.Int(1)
    how = fields.EnumName(Came)
    premium = fields.Boolean()
    language = fields.Text(16)


class RequestsList(Page, RequestsFilter):
    """The same, a page at a time."""


class RequestId(Input):
    """Which request."""

    id = fields.Int(1, required=True)


class RequestOut(Output):
    """A row of `requests/list`.

    `how` is click, source or unknown. `action` is what was decided: hold, approve or decline,
    `decided_by` whose decision it was. `due` is when it is told to Telegram, and `decided` when
    it came to its end. `rule`, `source` and `lead` are 0 without one.
    """

    id = fields.Int()
    campaign = fields.Int(attribute="campaign_id")
    chat = fields.Int(attribute="chat_id")
    subscriber = fields.Int()
    username = fields.Text()
    first_name = fields.Text()
    last_name = fields.Text()
    language = fields.Text()
    premium = fields.Boolean()
    how = fields.EnumName(Came, attribute="came", dump_only=True)
    source = fields.Int(attribute="source_id", null_as=0)
    link_name = fields.Text()
    state = fields.EnumName(RequestState, dump_only=True)
    action = fields.EnumName(Verdict, dump_only=True)
    rule = fields.Int(attribute="rule_id", null_as=0)
    decided_by = fields.EnumName(DecidedBy, dump_only=True)
    asked = fields.UtcText()
    due = fields.UtcText()
    decided = fields.UtcText()
    reason = fields.Text()
    batch = fields.Text()
    lead = fields.Int(attribute="lead_id", null_as=0)


class RequestDetail(RequestOut):
    """`requests/get`: also what the person says of themselves."""

    bio = fields.Text()

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read the request's own fields from `obj.request`."""
        holder = obj if attr == "bio" else obj.request
        return super().get_attribute(holder, attr, default)
