"""Logging in by the service bot: a link and a QR code, and waiting until the person has agreed."""

from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from app.dashboard import answers
from app.dashboard.access import cookies, forms
from app.dashboard.access.guards import own_path
from app.dashboard.formatting import language
from app.dashboard.views.login import LARGEST, begin
from app.services.service_bot import logins
from app.services.service_bot.logins import Browser
from app.web.auth import caller_address, counted, public

blueprint = Blueprint("bot_login", __name__)

#: Seconds between two looks of the waiting page.
POLL_SECONDS: Final = 2


@blueprint.post("/login/telegram")
@public
@counted
def start() -> Response:
    """Make a login for this browser, and lead to the page that shows its link.

    What it is known by stays in a cookie: no address logs a browser in, whoever has made it.
    """
    form = forms.read(largest=LARGEST)
    started = logins.start(this_browser(), language())
    response = _redirect("/login/wait", own_path(form.get("next", "/")))
    cookies.LOGIN.set(response, started.nonce)
    return response


@blueprint.get("/login/wait")
@public
@counted
def wait() -> Response:
    """Show the link until the person behind it has agreed, then open their dashboard."""
    target = own_path(request.args.get("next", "/"))
    nonce, browser = cookies.LOGIN.text(), this_browser()
    token = logins.poll(nonce, browser).token if nonce else None
    if token is not None:
        return begin(token, target)
    login = logins.shown_to(nonce, browser) if nonce else None
    if login is None:
        return _redirect("/login", target)
    return answers.page("login/wait.html", login=login, seconds=POLL_SECONDS, target=target)


def this_browser() -> Browser:
    """Return who asks, as logins know a browser."""
    agent = request.headers.get("User-Agent", "")
    return Browser(caller_address(), agent, cookies.form_cookie())


def _redirect(path: str, target: str) -> Response:
    query = "" if target == "/" else f"?{urlencode({'next': target})}"
    return answers.redirect_to(path + query)
