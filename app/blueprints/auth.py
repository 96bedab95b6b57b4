"""auth/*: from a login in Telegram to a session, and out of it."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.auth import Logout, Poll
from app.services.service_bot import sessions
from app.web.auth import caller_address, public, session
from app.web.responses import success

blueprint = Blueprint("auth", __name__, url_prefix="/api/auth")


@blueprint.get("/poll.json")
@public
def poll() -> Response:
    """The session token, once the login link of this nonce was opened."""
    token = sessions.poll(load(Poll())["nonce"], caller_address())
    told = {"pending": True} if token is None else {"pending": False, "token": token}
    answer = success(**told)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/logout.json")
@session
def logout() -> Response:
    """End this session, or all of the account's."""
    sessions.end(g.account.id, g.account.session_id, **load(Logout()))
    return success()
