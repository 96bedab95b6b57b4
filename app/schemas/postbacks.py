"""Fields of postbacks/*."""

from typing import Any

from app.domain.events import shown
from app.models import PostbackState
from app.models.postback import STATUS_CLASSES
from app.schemas import fields
from app.schemas.base import Input, OfRow, Output
from app.schemas.destinations import Plain, Settings
from app.schemas.pagination import Page, Period
from app.schemas.profile import LONGEST_URL
from plugins.contract import ALL_KINDS, EventKind


class PostbackFilter(Period):
    """Which postbacks; the period is that of `created`, `status` the class of the last code."""

    campaign = fields.Int(1)
    lead = fields.Int(1)
    dest = fields.Int(1)
    event = fields.Choice(*ALL_KINDS)
    state = fields.EnumName(PostbackState)
    status = fields.Choice(*STATUS_CLASSES)


class PostbacksList(PostbackFilter, Page):
    """Parameters of `postbacks/list`."""


class PostbackResend(PostbackFilter):
    """One by its id, or all that a filter finds."""

    postback_id = fields.Int(1, data_key="id")


class PostbackTest(Input):
    """A destination, a URL template, or a tracker with settings; `send` sends for real."""

    dest = fields.Int(1)
    template = fields.Text(LONGEST_URL, not_empty=True)
    tracker = fields.Text(64)
    settings = Settings()
    event = fields.Choice(*ALL_KINDS, load_default=EventKind.APPROVE.value)
    campaign = fields.Int(1)
    click = fields.Text(64, load_default="")
    send = fields.Boolean(load_default=False)


class PostbackOut(Output):
    """A row of `postbacks/list`. `due` is the next try while it waits."""

    id = fields.Int()
    campaign = fields.Int(attribute="campaign_id")
    lead = fields.Int(attribute="lead_id")
    dest = fields.Int(attribute="destination_id")
    event = fields.Text(attribute="kind")
    state = fields.EnumName(PostbackState)
    reason = fields.Text()
    tries = fields.Int()
    occurrence = fields.Int()
    due = fields.UtcText()
    created = fields.UtcText()
    settled = fields.UtcText()


class AttemptOut(Output):
    """One try: the request as sent, secrets masked; `status` 0 means no answer came."""

    id = fields.Int()
    occurrence = fields.Int()
    number = fields.Int()
    step = fields.Text()
    started = fields.UtcText()
    ms = fields.Int()
    request = fields.Text()
    status = fields.Int(null_as=0)
    answer = fields.Text()
    verdict = fields.Text()
    reason = fields.Text()
    next_try = fields.UtcText()


class Frozen(fields.Field[Any]):
    """The event as it was when it happened."""

    def _show(self, value: Any) -> Any:
        return shown(value)


class PostbackDetail(OfRow, PostbackOut):
    """`postbacks/get`; `sent` is the frozen event, `attempts` are in the order they were made."""

    row = "postback"
    beside = frozenset({"attempts"})

    sent = Frozen(attribute="event")
    attempts = fields.List(fields.Nested(AttemptOut))


class Resent(Output):
    """`postbacks/resend`: how many will be sent once more."""

    count = fields.Int()


class StepOut(Output):
    """One request, secrets masked; `verdict` is empty when it was not sent."""

    step = fields.Text()
    method = fields.Text()
    url = fields.Text()
    headers = Plain()
    body = fields.Text()
    idempotency_key = fields.Text()
    status = fields.Int()
    answer = fields.Text()
    ms = fields.Int()
    verdict = fields.Text()
    reason = fields.Text()


class TestSendOut(Output):
    """`postbacks/test`; `event` is the sample as a postback would freeze it."""

    event = Frozen()
    sent = fields.Boolean()
    verdict = fields.Text()
    reason = fields.Text()
    steps = fields.List(fields.Nested(StepOut))
