"""auth/*: from a login in Telegram to a session, and out of it."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas.auth import Logout, Poll
from app.services.service_bot import sessions
from app.web.auth import caller_address, public, session
from app.web.decorators import Params, answers, describes, takes
from app.web.openapi.responses import FLAG, TEXT, Answer
from app.web.responses import success

blueprint = Blueprint("auth", __name__, url_prefix="/api/auth")


@blueprint.get("/poll.json")
@public
@takes(Poll)
@describes(Answer(top={"pending": FLAG}, top_optional={"token": TEXT}))
def poll(params: Params) -> Response:
    """The session token, once the login link of this nonce was opened."""
    token = sessions.poll(params["nonce"], caller_address())
    response = success(pending=True) if token is None else success(pending=False, token=token)
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/logout.json")
@session
@takes(Logout)
@answers()
def logout(params: Params) -> None:
    """End this session, or all of the account's."""
    sessions.end(g.account.id, g.account.session_id, **params)
