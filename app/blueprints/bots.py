"""bots/*: the account's Telegram bots."""

from flask import Blueprint, g

from app.schemas import ById
from app.schemas.bots import BotAdd, BotAdded, BotChats, BotOut, BotsList, ChatOut
from app.services.bots import bots
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes

blueprint = Blueprint("bots", __name__, url_prefix="/api/bots")


@blueprint.get("/list.json")
@api_key
@takes(BotsList)
@answers(BotOut, many=True)
def listed(params: Params) -> object:
    """All bots, deleted ones too, and what is wrong with each."""
    return bots.list_with_faults(g.account.id, **params)


@blueprint.post("/add.json")
@api_key
@takes(BotAdd)
@answers(BotAdded)
def add(params: Params) -> object:
    """Connect a bot by its token, or restore it."""
    return bots.add(g.account.id, **params)


@blueprint.get("/chats.json")
@api_key
@takes(BotChats)
@answers(ChatOut, many=True)
def chats(params: Params) -> object:
    """Chats a campaign may be made for."""
    return bots.chats(g.account.id, params.pop("id"), **params)


@blueprint.post("/del.json")
@api_key
@takes(ById)
@answers()
def remove(params: Params) -> None:
    """Disconnect a bot softly."""
    bots.remove(g.account.id, params["id"])
