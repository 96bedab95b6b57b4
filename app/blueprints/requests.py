"""requests/*: people who ask to join, and what is decided of them."""

from __future__ import annotations

from flask import Blueprint, g

from app.schemas.requests import RequestDetail, RequestId, RequestOut, RequestsList
from app.services.join_requests import query
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
@takes(RequestId)
@answers(RequestDetail)
def get(params: Params) -> object:
    """One request, with what the person says of themselves."""
    return query.find(g.account.id, params["id"])
