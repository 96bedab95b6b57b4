"""events/*: registrations, purchases and refunds of leads."""

from __future__ import annotations

from flask import Blueprint, g

from app.schemas.events import EventId, EventOut, EventsList
from app.services.conversions import query
from app.web.auth import api_key
from app.web.decorators import Params, answers, answers_page, takes

blueprint = Blueprint("events", __name__, url_prefix="/api/events")


@blueprint.get("/list.json")
@api_key
@takes(EventsList)
@answers_page(EventOut)
def listed(params: Params) -> object:
    """Events, newest first; `total` counts up to 10,000."""
    return query.listed(g.account.id, **params)


@blueprint.get("/get.json")
@api_key
@takes(EventId)
@answers(EventOut)
def get(params: Params) -> object:
    """One event."""
    return query.find(g.account.id, params["id"])
