"""leads/*: people in campaigns."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, g, stream_with_context

from app.schemas import load
from app.schemas.csv_export import lines
from app.schemas.leads import (
    LeadHistory,
    LeadId,
    LeadOut,
    LeadPerson,
    LeadsExport,
    LeadsList,
    Subscriber,
)
from app.services.leads import erasure, query
from app.web.auth import api_key
from app.web.responses import page, success

blueprint = Blueprint("leads", __name__, url_prefix="/api/leads")


@blueprint.get("/list.json")
@api_key
def listed() -> Response:
    """Leads, newest first."""
    found = query.listed(g.account.id, **load(LeadsList()))
    return page(LeadOut(many=True).dump(found.rows), found.total)


@blueprint.get("/get.json")
@api_key
def get() -> Response:
    """One lead explained."""
    found = query.explained(g.account.id, load(LeadId())["id"])
    return success(LeadPerson().dump(found.lead) | LeadHistory().dump(found))


@blueprint.get("/export.json")
@api_key
def export() -> Response:
    """All leads as CSV, streamed: the one answer that is not JSON."""
    parts = query.everyone(g.account.id, **load(LeadsExport()))
    body: Iterator[str] = stream_with_context(lines(LeadOut(many=True), parts))
    named = {"Content-Disposition": 'attachment; filename="leads.csv"'}
    return Response(body, mimetype="text/csv", headers=named)


@blueprint.post("/erase.json")
@api_key
def erase() -> Response:
    """Erase what tells who a subscriber is."""
    return success({"count": erasure.erase(g.account.id, load(Subscriber())["subscriber"])})
