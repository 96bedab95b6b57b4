"""blocked/*: people whom no desk lets in by itself."""

from flask import Blueprint, Response, g

from app.schemas import ById
from app.schemas.blocked import (
    Added,
    BlockedAdd,
    BlockedCsv,
    BlockedImport,
    BlockedList,
    BlockedOut,
)
from app.services.join_requests.owner import blocklist
from app.web.auth import api_key
from app.web.csv_answers import csv_answer
from app.web.decorators import Params, answers, answers_page, describes, takes
from app.web.openapi.responses import TEXT, Answer

blueprint = Blueprint("blocked", __name__, url_prefix="/api/blocked")


@blueprint.get("/list.json")
@api_key
@takes(BlockedList)
@answers_page(BlockedOut)
def listed(params: Params) -> object:
    """Blocked people, newest first."""
    return blocklist.listed(g.account.id, **params)


@blueprint.post("/add.json")
@api_key
@takes(BlockedAdd)
@answers(Added)
def add(params: Params) -> object:
    """Block a person."""
    return {"count": blocklist.add(g.account.id, params["person"], params["reason"])}


@blueprint.post("/del.json")
@api_key
@takes(ById)
@answers()
def remove(params: Params) -> None:
    """Block a person no longer."""
    blocklist.remove(g.account.id, params["id"])


@blueprint.post("/import.json")
@api_key
@takes(BlockedImport)
@answers(Added)
def add_all(params: Params) -> object:
    """Block all people of a list."""
    return {"count": blocklist.add_all(g.account.id, params["csv"])}


@blueprint.get("/export.json")
@api_key
@describes(Answer(TEXT, media="text/csv"))
def export() -> Response:
    """All blocked people as CSV, streamed."""
    return csv_answer("blocked.csv", BlockedCsv(many=True), blocklist.read_all(g.account.id))
