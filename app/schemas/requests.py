"""Fields of requests/*."""

from typing import Any

from marshmallow import ValidationError

from app.domain.join_requests.facts import Came
from app.domain.join_requests.rules import Verdict
from app.errors import translatable
from app.models import DecidedBy, RequestState
from app.schemas import fields
from app.schemas.base import Input, OfRow, Output
from app.schemas.pagination import Page, Period
from app.services.join_requests.owner.decisions import MOST_IDS


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


class Ids(fields.Field[list[int]]):
    """Ids: a list of whole numbers, or in a form their text with commas."""

    def _read(self, value: Any) -> list[int]:
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, list) or len(value) > MOST_IDS:
            raise ValidationError(
                translatable("must be a list of at most %(most)d values", most=MOST_IDS)
            )
        number = fields.Int(1)
        return [int(number.deserialize(each) or 0) for each in value]


class Decision(fields.Field[Verdict]):
    """approve, decline or hold."""

    def _read(self, value: Any) -> Verdict:
        word = fields.Choice("approve", "decline", "hold").deserialize(value)
        return Verdict[str(word).upper()]


class WithMessage(Input):
    """What is said with a decision, to those who may be written to."""

    message = fields.Text(4096, load_default="")


class RequestsDecide(WithMessage, RequestsFilter):
    """What is decided of which requests: those of `ids`, or all that the filters find.

    `message` is said to those who may be written to: for five minutes, or if they have started
    the bot. With one, at most 500 requests are decided at once.
    """

    ids = Ids()
    decision = Decision(required=True)
    dry = fields.Boolean(load_default=False)


class BatchId(Input):
    """Which decision over many."""

    batch = fields.Text(16, not_empty=True, required=True)


class BySource(Output):
    """How many requests came by a source, 0 for none."""

    source = fields.Int()
    count = fields.Int()


class ByLanguage(Output):
    """How many requests have a language."""

    language = fields.Text()
    count = fields.Int()


class DecidedOut(Output):
    """`requests/decide`: how many, and the batch for `requests/undo`; with `dry` who they are.

    `messages` is to how many of them the message goes.
    """

    count = fields.Int()
    messages = fields.Int()
    batch = fields.Text()
    sources = fields.List(fields.Nested(BySource))
    languages = fields.List(fields.Nested(ByLanguage))


class Undone(Output):
    """`requests/undo`: how many wait again."""

    count = fields.Int()


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


class RequestDetail(OfRow, RequestOut):
    """`requests/get`: also what the person says of themselves."""

    row = "request"
    beside = frozenset({"bio"})

    bio = fields.Text()


class LeadRequestOut(OfRow):
    """A request of a lead in `leads/get`.

    `rule` is the position of the rule that decided, 0 without one. `delay` is how many seconds
    after the request it was decided, or while it is scheduled, is to be decided at `due`.
    """

    row = "request"
    beside = frozenset({"position", "delay"})

    id = fields.Int()
    asked = fields.UtcText()
    state = fields.EnumName(RequestState, dump_only=True)
    action = fields.EnumName(Verdict, dump_only=True)
    decided_by = fields.EnumName(DecidedBy, dump_only=True)
    rule = fields.Int(attribute="position")
    delay = fields.Int()
    due = fields.UtcText()
    decided = fields.UtcText()
    reason = fields.Text()
