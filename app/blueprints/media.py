"""media/*: pictures and films for welcomes."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas.media import MediaOut, uploaded
from app.services.campaigns import media
from app.web.auth import api_key
from app.web.responses import ok

blueprint = Blueprint("media", __name__, url_prefix="/api/media")


@blueprint.post("/upload.json")
@api_key
def upload() -> Response:
    """Keep a photo or a video."""
    code = media.upload(g.account.id, uploaded(media.MOST_BYTES))
    return ok(MediaOut().dump({"media": code}))
