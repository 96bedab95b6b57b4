"""Logging in by an API key or by the operator's entry link, and logging out."""

from typing import Final

from flask import Blueprint, Response, g, make_response, render_template, request

from app.config import current_settings
from app.dashboard import answers
from app.dashboard.access import cookies, forms, headers
from app.dashboard.access.guards import authenticate, changes, own_path
from app.errors import ApiError, BadKey, Banned, NotFound, translatable
from app.schemas import Input, fields
from app.services.service_bot import bot, entry_links, sessions
from app.services.service_bot.telegram import oidc
from app.web.auth import caller_address, counted, public

blueprint = Blueprint("login", __name__)

#: Bytes of a login form: a key is short.
LARGEST: Final = 4096


class KeyForm(Input):
    """The API key, and where to go with it."""

    key = fields.Text(300, not_empty=True, required=True)
    next = fields.Text(2000, load_default="/")


@blueprint.get("/login")
@public
@counted
def page() -> Response:
    """The ways in. Whoever is in already goes on, and a frame is led out of itself."""
    if request.headers.get("Sec-Fetch-Dest") == "iframe" and bot.find() is not None:
        return _framed()
    target = own_path(request.args.get("next", "/"))
    try:
        authenticate()
    except (BadKey, Banned):
        return show(target)
    return answers.redirect_to(target)


@blueprint.post("/login")
@public
@counted
def by_key() -> Response:
    """Log in with the API key."""
    form = forms.read(largest=LARGEST)
    try:
        typed = forms.checked(KeyForm(), form)
        token = sessions.open_by_key(
            typed["key"], address=caller_address(), agent=request.headers.get("User-Agent", "")
        )
    except ApiError as error:
        return show(own_path(form.get("next", "/")), error)
    return begin(token, own_path(typed["next"]))


#: What an entry link says that leads nowhere any more, and to whom to turn.
USED_UP: Final = translatable(
    "this link was used before or has expired; log in another way, or have the operator make "
    'a new one: "flask account link" does, and "make run" when it starts'
)


@blueprint.get("/enter/<token>")
@public
@counted
def entry(token: str) -> Response:
    """Open the dashboard by an entry link of the operator's.

    At once, if the person typed or pasted the address and nobody is logged in: then it was
    themselves. Otherwise they are asked, and told whose dashboard it is.
    """
    entry_link = entry_links.look(token)
    if entry_link is None:
        raise NotFound(USED_UP)
    if _is_own_visit() and not cookies.session_token():
        return _enter(token)
    return answers.page(
        "login/enter.html", name=entry_link.name, action=f"/enter/{token}", hidden={}
    )


@blueprint.post("/enter/<token>")
@public
@counted
def agree(token: str) -> Response:
    """Open the dashboard by an entry link, after the question whether to."""
    forms.read(largest=LARGEST)
    return _enter(token)


@blueprint.post("/logout")
@changes(even_unpaid=True)
def logout() -> Response:
    """End this session."""
    sessions.end(g.account.id, g.account.session_id)
    response = answers.redirect_to("/login")
    cookies.clear_session(response)
    return response


def show(target: str, error: ApiError | None = None) -> Response:
    """Return the login page, with why the last try was refused."""
    g.pop("account", None)  # a form for whoever is not logged in
    return answers.page(
        "login/login.html",
        error,
        target=target,
        has_bot=bot.find() is not None,
        has_oidc=oidc.is_configured(),
    )


def _framed() -> Response:
    """Return the page for the frame in which web.telegram.org shows the app, without a form.

    No cookie of ours is sent there. What Telegram has opened the app with stands behind the # of
    the address, so the browser alone takes it over into the window.
    """
    address = f"{current_settings().public_url}/login"
    response = make_response(render_template("login/framed.html", address=address))
    response.headers["Content-Security-Policy"] = headers.FRAMED_POLICY
    return response


def _is_own_visit() -> bool:
    """Whether the browser says that a person has typed the address, or opened it outside of it.

    Not a link on somebody's page, not a program that looks at addresses, not a prefetch.
    """
    sent = request.headers
    is_typed = sent.get("Sec-Fetch-Site") == "none" and sent.get("Sec-Fetch-Mode") == "navigate"
    return request.method == "GET" and is_typed and "Sec-Purpose" not in sent


def _enter(token: str) -> Response:
    session = entry_links.redeem(
        token, address=caller_address(), agent=request.headers.get("User-Agent", "")
    )
    if session is None:
        raise NotFound(USED_UP)
    return begin(session, "/")


def begin(token: str, target: str) -> Response:
    """Give the browser its new session; the one it had before is over."""
    if before := cookies.session_token():
        sessions.end_token(before)
    g.pop("account", None)
    response = answers.redirect_to(target)
    cookies.set_session(response, token)
    return response
