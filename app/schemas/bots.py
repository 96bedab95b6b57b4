"""Fields of bots/*. A token only ever comes in."""

from app.models import BotFaultKind
from app.schemas import fields
from app.schemas.base import ById, Input, Output
from app.schemas.pagination import OptionalPage


class BotAdd(Input):
    """The token BotFather gave; a careless copy may bring spaces along."""

    token = fields.Text(256, not_empty=True, required=True)


class BotsList(OptionalPage):
    """`limit` bots from `offset` on, or all of them."""


class BotChats(OptionalPage, ById):
    """`limit` chats of one bot from `offset` on, or all of them."""


class BotAdded(Output):
    """`bots/add`."""

    id = fields.Int()
    username = fields.Text()
    name = fields.Text()


class BotFaultOut(Output):
    """What is wrong with a bot, since when, and a sentence what to do. `chat` is 0 for none."""

    fault = fields.Choice(*(kind.value for kind in BotFaultKind), attribute="kind")
    chat = fields.Int(attribute="chat_id")
    since = fields.UtcText()
    message = fields.Text()


class WebhookOut(Output):
    """What Telegram told within the last ten minutes or so of how its updates reach us.

    `pending` updates waited there; `error` is what it said of the last that it could not
    deliver, at `error_time`, however long ago. Both are empty for a bot that is polled.
    """

    pending = fields.Int(attribute="webhook_pending")
    error = fields.Text(attribute="webhook_error")
    error_time = fields.UtcText(attribute="webhook_error_time")


class BotOut(Output):
    """A row of `bots/list` in the order of AlterCPA TOP's; `faults` and `webhook` are ours."""

    id = fields.Int(attribute="bot.id")
    tg = fields.Int(attribute="bot.tg_id")
    username = fields.Text(attribute="bot.username")
    name = fields.Text(attribute="bot.name")
    status = fields.Int(attribute="bot.status")
    created = fields.UtcText(attribute="bot.created")
    faults = fields.List(fields.Nested(BotFaultOut))
    webhook = fields.Nested(WebhookOut, attribute="bot")


class IsPublic(fields.Field[bool]):
    """Whether a chat has a username."""

    def _show(self, value: str) -> bool:
        return bool(value)


class ChatOut(Output):
    """A row of `bots/chats`. Of a public chat Telegram does not tell by which link people come."""

    id = fields.Int(attribute="chat_id")
    title = fields.Text()
    type = fields.Text()
    username = fields.Text()
    public = IsPublic(attribute="username", dump_only=True)
    can_invite = fields.Boolean()
