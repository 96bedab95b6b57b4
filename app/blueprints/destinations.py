"""dest/*: the trackers a customer has connected."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.destinations import (
    CheckResultOut,
    DestinationAdd,
    DestinationCheck,
    DestinationEdit,
    DestinationId,
    DestinationOut,
    DestinationPause,
    DestinationsList,
)
from app.services.trackers import destinations
from app.services.trackers.url_templates import warnings_of, with_warnings
from app.web.auth import api_key
from app.web.responses import page, success

blueprint = Blueprint("destinations", __name__, url_prefix="/api/dest")


@blueprint.get("/list.json")
@api_key
def listed() -> Response:
    """Destinations, newest first."""
    found = destinations.listed(g.account.id, **load(DestinationsList()))
    return page(DestinationOut(many=True).dump(found.rows), found.total)


@blueprint.post("/add.json")
@api_key
def add() -> Response:
    """Connect a tracker."""
    wanted = load(DestinationAdd())
    number = destinations.add(g.account.id, **wanted)
    return success({"id": number}, **with_warnings(warnings_of(wanted["settings"])))


@blueprint.post("/edit.json")
@api_key
def edit() -> Response:
    """Change a destination."""
    wanted = load(DestinationEdit())
    destinations.edit(g.account.id, wanted.pop("id"), **wanted)
    return success(**with_warnings(warnings_of(wanted.get("settings", {}))))


@blueprint.post("/pause.json")
@api_key
def pause() -> Response:
    """Pause or resume a destination."""
    wanted = load(DestinationPause())
    destinations.pause(g.account.id, wanted["id"], paused=wanted["pause"])
    return success()


@blueprint.post("/del.json")
@api_key
def remove() -> Response:
    """Delete a destination softly."""
    destinations.remove(g.account.id, load(DestinationId())["id"])
    return success()


@blueprint.post("/check.json")
@api_key
def check() -> Response:
    """Ask the tracker whether the connection is good."""
    return success(
        CheckResultOut().dump(destinations.check(g.account.id, **load(DestinationCheck())))
    )
