"""trackers/*: the adapters of this installation."""

from flask import Blueprint, Response

from app.services.trackers import catalogue
from app.web.auth import api_key
from app.web.decorators import describes
from app.web.openapi.responses import TRACKER, Answer
from app.web.responses import success

blueprint = Blueprint("trackers", __name__, url_prefix="/api/trackers")


@blueprint.get("/list.json")
@api_key
@describes(Answer(TRACKER, many=True))
def listed() -> Response:
    """All adapters with the fields they ask for, and the broken ones with their reason."""
    return success(catalogue.listed())
