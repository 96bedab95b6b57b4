"""leads/*: people in campaigns."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.auth import api_key
from app.envelope import ok, page
from app.schemas import load
from app.schemas.leads import LeadId, LeadOut, LeadPerson, LeadsList, LeadStory
from app.services import leads_list

blueprint = Blueprint("leads", __name__, url_prefix="/api/leads")


@blueprint.get("/list.json")
@api_key
def listed() -> Response:
    """Leads, newest first."""
    found = leads_list.listed(g.account.id, **load(LeadsList()))
    return page(LeadOut(many=True).dump(found.rows), found.total)


@blueprint.get("/get.json")
@api_key
def get() -> Response:
    """One lead explained."""
    found = leads_list.explained(g.account.id, load(LeadId())["id"])
    return ok(LeadPerson().dump(found.lead) | LeadStory().dump(found))
