"""requests/*: people who ask to join, and what is decided of them."""

import time

from flask import Blueprint, g

from app.schemas import ById
from app.schemas.requests import (
    BatchId,
    DecidedOut,
    RequestDetail,
    RequestOut,
    RequestsDecide,
    RequestsList,
    Undone,
)
from app.services.join_requests import query
from app.services.join_requests.owner import decisions
from app.web.auth import api_key
from app.web.decorators import Params, answers, answers_page, takes

blueprint = Blueprint("requests", __name__, url_prefix="/api/requests")


@blueprint.get("/list.json")
@api_key
@takes(RequestsList)
@answers_page(RequestOut)
def listed(params: Params) -> object:
    """Requests to join, newest first; `total` counts up to 10,000."""
    return query.listed(g.account.id, **params)


@blueprint.get("/get.json")
@api_key
@takes(ById)
@answers(RequestDetail)
def get(params: Params) -> object:
    """One request, with what the person says of themselves."""
    return query.find(g.account.id, params["id"])


@blueprint.post("/decide.json")
@api_key
@takes(RequestsDecide)
@answers(DecidedOut)
def decide(params: Params) -> object:
    """Approve, decline or hold requests that are not decided yet; with `dry` only count them."""
    return decisions.decide(g.account.id, params.pop("decision"), time.time(), **params)


@blueprint.post("/undo.json")
@api_key
@takes(BatchId)
@answers(Undone)
def undo(params: Params) -> object:
    """Let requests of a decision wait again of which Telegram was not told yet."""
    return {"count": decisions.undo(g.account.id, params["batch"])}
