"""transfer/*: giving a bot or a campaign to another account."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.transfer import BotTransfer, CampaignTransfer, Recipient, RecipientOut
from app.services.campaigns import transfer
from app.web.auth import api_key
from app.web.responses import success

blueprint = Blueprint("transfer", __name__, url_prefix="/api/transfer")


@blueprint.get("/token.json")
@api_key
def token() -> Response:
    """The account's own receiving token."""
    return success({"token": transfer.token_of(g.account.id)})


@blueprint.post("/token.json")
@api_key
def renew() -> Response:
    """A new token; the old one is dead at once."""
    return success({"token": transfer.renew_token(g.account.id)})


@blueprint.get("/resolve.json")
@api_key
def resolve() -> Response:
    """Who would receive, and whether they can."""
    return success(RecipientOut().dump(transfer.resolve(load(Recipient())["token"])))


@blueprint.post("/bot.json")
@api_key
def bot() -> Response:
    """Give a bot and all its campaigns."""
    wanted = load(BotTransfer())
    transfer.give_bot(g.account.id, wanted["token"], wanted["id"], with_leads=wanted["leads"])
    return success()


@blueprint.post("/camp.json")
@api_key
def camp() -> Response:
    """Give a campaign."""
    wanted = load(CampaignTransfer())
    transfer.give_campaign(
        g.account.id,
        wanted["token"],
        wanted["id"],
        to_bot=wanted.get("bot"),
        with_leads=wanted["leads"],
    )
    return success()
