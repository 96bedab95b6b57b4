"""media/*: pictures and films for welcomes."""

from flask import Blueprint, g

from app.schemas.media import MediaChosen, MediaList, MediaOut, MediaRow, uploaded_file
from app.services.campaigns import media, media_list
from app.web.auth import api_key
from app.web.decorators import Params, answers, answers_page, describes_body, takes
from app.web.openapi.responses import FILE_UPLOAD

blueprint = Blueprint("media", __name__, url_prefix="/api/media")


@blueprint.get("/list.json")
@api_key
@takes(MediaList)
@answers_page(MediaRow)
def listed(params: Params) -> object:
    """Photos and videos, newest first."""
    return media_list.listed(g.account.id, **params)


@blueprint.post("/upload.json")
@api_key
@describes_body(FILE_UPLOAD)
@answers(MediaOut)
def upload() -> object:
    """Keep a photo or a video."""
    return {"media": media.upload(g.account.id, uploaded_file(media.MAX_BYTES))}


@blueprint.post("/del.json")
@api_key
@takes(MediaChosen)
@answers()
def remove(params: Params) -> None:
    """Delete a photo or a video for good."""
    media_list.remove(g.account.id, params["media"])
