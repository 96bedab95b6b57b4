"""journal/*: every happening in the tracked chats."""

from flask import Blueprint, Response, g

from app.schemas.journal import JournalFilter, JournalList, JournalOut
from app.services.leads import journal
from app.web.auth import api_key
from app.web.csv_answers import csv_answer
from app.web.decorators import Params, answers_page, describes, takes
from app.web.openapi.responses import TEXT, Answer

blueprint = Blueprint("journal", __name__, url_prefix="/api/journal")


@blueprint.get("/list.json")
@api_key
@takes(JournalList)
@answers_page(JournalOut)
def listed(params: Params) -> object:
    """Happenings in one chat, or without `bot` and `chat` in all of them, newest first."""
    return journal.listed(g.account.id, **params)


@blueprint.get("/export.json")
@api_key
@takes(JournalFilter)
@describes(Answer(TEXT, media="text/csv"))
def export(params: Params) -> Response:
    """All happenings that `journal/list` would give as CSV, streamed."""
    return csv_answer(
        "journal.csv", JournalOut(many=True), journal.read_all(g.account.id, **params)
    )
