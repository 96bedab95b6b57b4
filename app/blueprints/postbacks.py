"""postbacks/*: the delivery log."""

from flask import Blueprint, Response, g

from app.schemas import ById
from app.schemas.postbacks import (
    PostbackDetail,
    PostbackFilter,
    PostbackOut,
    PostbackResend,
    PostbacksList,
    PostbackTest,
    Resent,
    TestSendOut,
)
from app.services.postbacks import log
from app.services.trackers import test_send
from app.web.auth import api_key
from app.web.csv_answers import csv_answer
from app.web.decorators import (
    Params,
    WithWarnings,
    answers,
    answers_page,
    describes,
    takes,
    with_warnings,
)
from app.web.openapi.responses import TEXT, Answer

blueprint = Blueprint("postbacks", __name__, url_prefix="/api/postbacks")


@blueprint.get("/list.json")
@api_key
@takes(PostbacksList)
@answers_page(PostbackOut)
def listed(params: Params) -> object:
    """Postbacks, newest first."""
    return log.listed(g.account.id, **params)


@blueprint.get("/get.json")
@api_key
@takes(ById)
@answers(PostbackDetail)
def get(params: Params) -> object:
    """One postback with every attempt."""
    return log.explained(g.account.id, params["id"])


@blueprint.get("/export.json")
@api_key
@takes(PostbackFilter)
@describes(Answer(TEXT, media="text/csv"))
def export(params: Params) -> Response:
    """All postbacks as CSV, streamed."""
    return csv_answer("postbacks.csv", PostbackOut(many=True), log.read_all(g.account.id, **params))


@blueprint.post("/resend.json")
@api_key
@takes(PostbackResend)
@answers(Resent)
def resend(params: Params) -> object:
    """Send one postback, or those a filter finds, once more."""
    return {"count": log.resend(g.account.id, **params)}


@blueprint.post("/test.json")
@api_key
@takes(PostbackTest)
@answers(TestSendOut, warnings=True)
def test(params: Params) -> WithWarnings:
    """What would be sent for a sample event; with `send`, what the tracker says to it."""
    result = test_send.run(g.account.id, **params)
    return with_warnings(result.warnings, result)
