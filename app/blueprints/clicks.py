"""clicks/*: visitors who went on through a source's link."""

from flask import Blueprint, g

from app.schemas import ById
from app.schemas.clicks import ClickDetail, ClickOut, ClicksList
from app.services.clicks import query
from app.web.auth import api_key
from app.web.decorators import Params, answers, answers_page, takes

blueprint = Blueprint("clicks", __name__, url_prefix="/api/clicks")


@blueprint.get("/list.json")
@api_key
@takes(ClicksList)
@answers_page(ClickOut)
def listed(params: Params) -> object:
    """Clicks, newest first; `total` counts up to 10,000."""
    return query.listed(g.account.id, **params)


@blueprint.get("/get.json")
@api_key
@takes(ById)
@answers(ClickDetail)
def get(params: Params) -> object:
    """One click with all that was kept of its link."""
    return query.find(g.account.id, params["id"])
