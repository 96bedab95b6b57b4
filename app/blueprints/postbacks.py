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
    PostbackTest,
    TryoutOut,
)
from app.services import postbacks, tryout

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


@blueprint.post("/test.json")
@api_key
def test() -> Response:
    """What would be sent for a sample event; with `send`, what the tracker says to it."""
    return ok(TryoutOut().dump(tryout.run(g.account.id, **load(PostbackTest()))))
