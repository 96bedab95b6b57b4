"""leads/*: people in campaigns."""

from flask import Blueprint, Response, g

from app.schemas import ById
from app.schemas.leads import (
    Erased,
    LeadDetail,
    LeadOut,
    LeadsExport,
    LeadsList,
    Subscriber,
)
from app.services.leads import erasure, query
from app.web.auth import api_key
from app.web.csv_answers import csv_answer
from app.web.decorators import Params, answers, answers_page, describes, takes
from app.web.openapi.responses import TEXT, Answer

blueprint = Blueprint("leads", __name__, url_prefix="/api/leads")


@blueprint.get("/list.json")
@api_key
@takes(LeadsList)
@answers_page(LeadOut)
def listed(params: Params) -> object:
    """Leads, newest first."""
    return query.listed(g.account.id, **params)


@blueprint.get("/get.json")
@api_key
@takes(ById)
@answers(LeadDetail)
def get(params: Params) -> object:
    """One lead explained."""
    return query.explained(g.account.id, params["id"])


@blueprint.get("/export.json")
@api_key
@takes(LeadsExport)
@describes(Answer(TEXT, media="text/csv"))
def export(params: Params) -> Response:
    """All leads as CSV, streamed."""
    return csv_answer("leads.csv", LeadOut(many=True), query.read_all(g.account.id, **params))


@blueprint.post("/erase.json")
@api_key
@takes(Subscriber)
@answers(Erased)
def erase(params: Params) -> object:
    """Erase what tells who a subscriber is."""
    return {"count": erasure.erase(g.account.id, params["subscriber"])}
