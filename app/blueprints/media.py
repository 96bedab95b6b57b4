"""media/*: pictures and films for welcomes."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas.media import MediaOut, uploaded
from app.services.campaigns import media
from app.web.auth import api_key
from app.web.responses import success

blueprint = Blueprint("media", __name__, url_prefix="/api/media")


@blueprint.post("/upload.json")
@api_key
def upload() -> Response:
    """Keep a photo or a video."""
    code = media.upload(g.account.id, uploaded(media.MAX_BYTES))
    return success(MediaOut().dump({"media": code}))
