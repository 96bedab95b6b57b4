"""exports/*: long lists as CSV files that a worker prepares."""

import time
from datetime import UTC, datetime

from flask import Blueprint, Response, g

from app.schemas import ById, exported_lists
from app.schemas.csv_export import unless_broken_off
from app.schemas.exports import ExportAdd, ExportAdded, ExportOut, word_of
from app.services.exports import prepared
from app.web.auth import api_key
from app.web.csv_answers import text_answer
from app.web.decorators import Params, answers, describes, takes
from app.web.openapi.responses import TEXT, Answer

blueprint = Blueprint("exports", __name__, url_prefix="/api/exports")


@blueprint.post("/add.json")
@api_key
@takes(ExportAdd)
@answers(ExportAdded)
def add(params: Params) -> object:
    """Ask for all rows of a list that the filters find as a file; its times are UTC."""
    rows = exported_lists.estimate(g.account.id, params["kind"], params["filters"])
    number = prepared.add(g.account.id, **params, zone="UTC", estimate=rows, now=time.time())
    return {"id": number}


@blueprint.get("/list.json")
@api_key
@answers(ExportOut, many=True)
def listed() -> object:
    """The files of the account, newest first, and how far each is."""
    return prepared.listed(g.account.id)


@blueprint.get("/get.json")
@api_key
@takes(ById)
@describes(Answer(TEXT, media="text/csv"))
def get(params: Params) -> Response:
    """One that is ready, as CSV, streamed."""
    row = prepared.find(g.account.id, params["id"])
    name = f"{word_of(row.kind)}-{datetime.fromtimestamp(row.created, UTC).date()}.csv"
    return text_answer(name, unless_broken_off(prepared.text(row.id, row.parts)))


@blueprint.post("/del.json")
@api_key
@takes(ById)
@answers()
def remove(params: Params) -> None:
    """Delete one, or give it up while it is being written."""
    prepared.remove(g.account.id, params["id"])
