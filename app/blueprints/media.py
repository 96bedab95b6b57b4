"""media/*: pictures and films for welcomes."""

from __future__ import annotations

from flask import Blueprint, g

from app.schemas.media import MediaOut, uploaded_file
from app.services.campaigns import media
from app.web.auth import api_key
from app.web.decorators import answers, describes_body
from app.web.openapi.responses import FILE_UPLOAD

blueprint = Blueprint("media", __name__, url_prefix="/api/media")


@blueprint.post("/upload.json")
@api_key
@describes_body(FILE_UPLOAD)
@answers(MediaOut)
def upload() -> object:
    """Keep a photo or a video."""
    return {"media": media.upload(g.account.id, uploaded_file(media.MAX_BYTES))}
