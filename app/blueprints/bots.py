"""bots/*: the account's Telegram bots."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.bots import BotAdd, BotAdded, BotChats, BotId, BotOut, BotsList, ChatOut
from app.services.bots import bots
from app.web.auth import api_key
from app.web.responses import success

blueprint = Blueprint("bots", __name__, url_prefix="/api/bots")


@blueprint.get("/list.json")
@api_key
def listed() -> Response:
    """All bots, deleted ones too."""
    return success(BotOut(many=True).dump(bots.listed(g.account.id, **load(BotsList()))))


@blueprint.post("/add.json")
@api_key
def add() -> Response:
    """Connect a bot by its token, or restore it."""
    return success(BotAdded().dump(bots.add(g.account.id, **load(BotAdd()))))


@blueprint.get("/chats.json")
@api_key
def chats() -> Response:
    """Chats a campaign may be made for."""
    wanted = load(BotChats())
    return success(ChatOut(many=True).dump(bots.chats(g.account.id, wanted.pop("id"), **wanted)))


@blueprint.post("/del.json")
@api_key
def remove() -> Response:
    """Disconnect a bot softly."""
    bots.remove(g.account.id, load(BotId())["id"])
    return success()
