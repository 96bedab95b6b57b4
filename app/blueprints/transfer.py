"""transfer/*: giving a bot or a campaign to another account."""

from flask import Blueprint, g

from app.schemas import ById
from app.schemas.pagination import OptionalPage
from app.schemas.transfer import (
    BotTransfer,
    CampaignTransfer,
    Recipient,
    RecipientOut,
    TransferOut,
    TransferTokenOut,
)
from app.services.campaigns import transfer
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes

blueprint = Blueprint("transfer", __name__, url_prefix="/api/transfer")


@blueprint.get("/token.json")
@api_key
@answers(TransferTokenOut)
def token() -> object:
    """The account's own receiving token."""
    return {"token": transfer.token_of(g.account.id)}


@blueprint.post("/token.json")
@api_key
@answers(TransferTokenOut)
def renew() -> object:
    """A new token; the old one is dead at once."""
    return {"token": transfer.renew_token(g.account.id)}


@blueprint.get("/resolve.json")
@api_key
@takes(Recipient)
@answers(RecipientOut)
def resolve(params: Params) -> object:
    """Who would receive, and whether they can."""
    return transfer.resolve(params["token"])


@blueprint.post("/bot.json")
@api_key
@takes(BotTransfer)
@answers()
def bot(params: Params) -> None:
    """Give a bot and all its campaigns, some minutes later; `transfer/list` shows when."""
    transfer.give_bot(g.account, params["token"], params["id"], with_leads=params["leads"])


@blueprint.post("/camp.json")
@api_key
@takes(CampaignTransfer)
@answers()
def camp(params: Params) -> None:
    """Give a campaign, some minutes later; `transfer/list` shows when."""
    transfer.give_campaign(
        g.account,
        params["token"],
        params["id"],
        to_bot=params.get("bot"),
        with_leads=params["leads"],
    )


@blueprint.get("/list.json")
@api_key
@takes(OptionalPage)
@answers(TransferOut, many=True)
def listed(params: Params) -> object:
    """Transfers from and to the account, newest first: pending ones and 30 days of others."""
    return transfer.listed(g.account.id, **params)


@blueprint.post("/cancel.json")
@api_key
@takes(ById)
@answers()
def cancel(params: Params) -> None:
    """Call off a transfer of the account's that is pending."""
    transfer.cancel(g.account.id, params["id"])
