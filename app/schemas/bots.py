"""Fields of bots/*. A token only ever comes in."""

from __future__ import annotations

from app.schemas import fields
from app.schemas.base import Input, Output
from app.schemas.pagination import OptionalPage


class BotAdd(Input):
    """The token BotFather gave; a careless copy may bring spaces along."""

    token = fields.Text(256, not_empty=True, required=True)


class BotId(Input):
    """Which bot."""

    id = fields.Int(1, required=True)


class BotsList(OptionalPage):
    """`limit` bots from `offset` on, or all of them."""


class BotChats(OptionalPage, BotId):
    """`limit` chats of one bot from `offset` on, or all of them."""


class BotAdded(Output):
    """`bots/add`."""

    id = fields.Int()
    username = fields.Text()
    name = fields.Text()


class BotOut(Output):
    """A row of `bots/list`, its fields in the order of AlterCPA TOP's."""

    id = fields.Int()
    tg = fields.Int(attribute="tg_id")
    username = fields.Text()
    name = fields.Text()
    status = fields.Int()
    created = fields.UtcText()


class ChatOut(Output):
    """A row of `bots/chats`."""

    id = fields.Int(attribute="chat_id")
    title = fields.Text()
    type = fields.Text()
