"""postbacks/*: the delivery log."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.postbacks import (
    PostbackAttempts,
    PostbackDetail,
    PostbackId,
    PostbackOut,
    PostbackResend,
    PostbacksList,
    PostbackTest,
    TestSendOut,
)
from app.services.postbacks import log
from app.services.trackers import test_send
from app.web.auth import api_key
from app.web.responses import page, success

blueprint = Blueprint("postbacks", __name__, url_prefix="/api/postbacks")


@blueprint.get("/list.json")
@api_key
def listed() -> Response:
    """Postbacks, newest first."""
    found = log.listed(g.account.id, **load(PostbacksList()))
    return page(PostbackOut(many=True).dump(found.rows), found.total)


@blueprint.get("/get.json")
@api_key
def get() -> Response:
    """One postback with every attempt."""
    found = log.explained(g.account.id, load(PostbackId())["id"])
    return success(PostbackDetail().dump(found.postback) | PostbackAttempts().dump(found))


@blueprint.post("/resend.json")
@api_key
def resend() -> Response:
    """Send one postback, or those a filter finds, once more."""
    return success({"count": log.resend(g.account.id, **load(PostbackResend()))})


@blueprint.post("/test.json")
@api_key
def test() -> Response:
    """What would be sent for a sample event; with `send`, what the tracker says to it."""
    return success(TestSendOut().dump(test_send.run(g.account.id, **load(PostbackTest()))))
