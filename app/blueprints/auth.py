"""auth/*: from a login in Telegram to a session, and out of it."""

from typing import Final

from flask import Blueprint, Response, g, request

from app.config import current_settings
from app.schemas.auth import LoginStart, Logout, Poll, StartedLoginOut
from app.services.service_bot import logins, sessions
from app.services.service_bot.logins import Browser
from app.web.auth import caller_address, public, session
from app.web.decorators import Params, answers, describes, takes
from app.web.openapi.responses import FLAG, TEXT, Answer
from app.web.responses import success

COOKIE: Final = "gatepost_login"

blueprint = Blueprint("auth", __name__, url_prefix="/api/auth")


@blueprint.get("/start.json")
@public
@takes(LoginStart)
@describes(Answer(StartedLoginOut))
def start(params: Params) -> Response:
    """A nonce and its login link for a page, and what the service bot will say of the page."""
    started = logins.start(_browser(), **params)
    return _with_cookie(success(StartedLoginOut().dump(started)), started.cookie)


@blueprint.get("/poll.json")
@public
@takes(Poll)
@describes(Answer(top={"pending": FLAG}, top_optional={"token": TEXT}))
def poll(params: Params) -> Response:
    """The session token, once the person who opened the login link has agreed."""
    token, cookie = logins.poll(params["nonce"], _browser())
    response = success(pending=True) if token is None else success(pending=False, token=token)
    response.headers["Cache-Control"] = "no-store"
    return _with_cookie(response, cookie)


@blueprint.post("/logout.json")
@session
@takes(Logout)
@answers()
def logout(params: Params) -> None:
    """End this session, or all of the account's."""
    sessions.end(g.account.id, g.account.session_id, **params)


def _browser() -> Browser:
    cookie = request.cookies.get(COOKIE, "")
    return Browser(
        caller_address(),
        request.headers.get("User-Agent", ""),
        cookie if logins.COOKIE.fullmatch(cookie) else "",
    )


def _with_cookie(response: Response, cookie: str | None) -> Response:
    if cookie is not None:
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=int(logins.SHOWN_SECONDS),
            path=blueprint.url_prefix or "/",
            secure=request.is_secure or current_settings().public_url.startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
    return response
