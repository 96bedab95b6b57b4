"""dest/*: the trackers a customer has connected."""

from flask import Blueprint, g

from app.schemas import ById, Pause
from app.schemas.destinations import (
    CheckResultOut,
    DestinationAdd,
    DestinationAdded,
    DestinationCheck,
    DestinationEdit,
    DestinationOut,
    DestinationsList,
)
from app.services.trackers import destinations
from app.services.trackers.url_templates import warnings_of
from app.web.auth import api_key
from app.web.decorators import (
    Params,
    WithWarnings,
    answers,
    answers_page,
    takes,
    with_warnings,
)

blueprint = Blueprint("destinations", __name__, url_prefix="/api/dest")


@blueprint.get("/list.json")
@api_key
@takes(DestinationsList)
@answers_page(DestinationOut)
def listed(params: Params) -> object:
    """Destinations, newest first."""
    return destinations.listed(g.account.id, **params)


@blueprint.post("/add.json")
@api_key
@takes(DestinationAdd)
@answers(DestinationAdded, warnings=True)
def add(params: Params) -> WithWarnings:
    """Connect a tracker."""
    number = destinations.add(g.account.id, **params)
    return with_warnings(warnings_of(params["settings"]), {"id": number})


@blueprint.post("/edit.json")
@api_key
@takes(DestinationEdit)
@answers(warnings=True)
def edit(params: Params) -> WithWarnings:
    """Change a destination."""
    return with_warnings(destinations.edit(g.account.id, params.pop("id"), **params))


@blueprint.post("/pause.json")
@api_key
@takes(Pause)
@answers()
def pause(params: Params) -> None:
    """Pause or resume a destination."""
    destinations.pause(g.account.id, params["id"], paused=params["pause"])


@blueprint.post("/del.json")
@api_key
@takes(ById)
@answers()
def remove(params: Params) -> None:
    """Delete a destination softly."""
    destinations.remove(g.account.id, params["id"])


@blueprint.post("/check.json")
@api_key
@takes(DestinationCheck)
@answers(CheckResultOut)
def check(params: Params) -> object:
    """Ask the tracker whether the connection is good."""
    return destinations.check(g.account.id, **params)
