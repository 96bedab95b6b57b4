"""postbacks/*: the delivery log."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.auth import api_key
from app.envelope import ok, page
from app.schemas import load
from app.schemas.postbacks import (
    PostbackDetail,
    PostbackId,
    PostbackOut,
    PostbackResend,
    PostbacksList,
    PostbackStory,
)
from app.services import postbacks

blueprint = Blueprint("postbacks", __name__, url_prefix="/api/postbacks")


@blueprint.get("/list.json")
@api_key
def listed() -> Response:
    """Postbacks, newest first."""
    found = postbacks.listed(g.account.id, **load(PostbacksList()))
    return page(PostbackOut(many=True).dump(found.rows), found.total)


@blueprint.get("/get.json")
@api_key
def get() -> Response:
    """One postback with every attempt."""
    found = postbacks.explained(g.account.id, load(PostbackId())["id"])
    return ok(PostbackDetail().dump(found.postback) | PostbackStory().dump(found))


@blueprint.post("/resend.json")
@api_key
def resend() -> Response:
    """Send one postback, or those a filter finds, once more."""
    return ok({"count": postbacks.resend(g.account.id, **load(PostbackResend()))})
