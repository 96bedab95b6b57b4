"""The cookies of the dashboard: the session, and what ties a login form to its browser."""

import ipaddress
import re
from functools import lru_cache
from typing import Final, NamedTuple

from flask import Response, g, request

from app.crypto import new_secret
from app.services.service_bot.sessions import SESSION_SECONDS

_SESSION: Final = "gatepost"
_FORM: Final = "gatepost_form"
#: What `new_secret` makes; anything else was not set by us.
_RANDOM: Final = re.compile(r"[A-Za-z0-9_-]{32,64}", re.ASCII)
_FORM_SECONDS: Final = 86_400


class LoginCookie(NamedTuple):
    """What ties a login that this browser has begun to it: a random text, for some seconds."""

    name: str
    seconds: int

    def text(self) -> str:
        """Return the text that the browser brought, "" if none."""
        text = request.cookies.get(_name(self.name), "")
        return text if _RANDOM.fullmatch(text) else ""

    def set(self, response: Response, text: str) -> None:
        """Have the browser remember which login it has begun."""
        _set(response, self.name, text, self.seconds)

    def clear(self, response: Response) -> None:
        """Have the browser forget it."""
        _set(response, self.name, "", 0)


#: The nonce of a login by the service bot.
LOGIN: Final = LoginCookie("gatepost_nonce", 3600)
#: What a login by OpenID Connect is derived from; each is begun anew.
OIDC: Final = LoginCookie("gatepost_oidc", 600)


def session_token() -> str:
    """Return the session token that the browser brought, "" if none."""
    return request.cookies.get(_name(_SESSION), "")


def form_cookie() -> str:
    """Return the random value of a browser that is not logged in; a new one is set by `keep`."""
    if "form_cookie" not in g:
        cookie = request.cookies.get(_name(_FORM), "")
        g.new_form_cookie = not _RANDOM.fullmatch(cookie)
        g.form_cookie = new_secret(32) if g.new_form_cookie else cookie
    value: str = g.form_cookie
    return value


def keep(response: Response) -> None:
    """Set the form cookie on the response, if one was made for this request."""
    if g.get("new_form_cookie"):
        _set(response, _FORM, g.form_cookie, _FORM_SECONDS)


def set_session(response: Response, token: str) -> None:
    """Log the browser in, and forget what tied its login form to it."""
    _set(response, _SESSION, token, int(SESSION_SECONDS))
    _set(response, _FORM, "", 0)
    if _name(LOGIN.name) in request.cookies:
        LOGIN.clear(response)
    g.new_form_cookie = False


def clear_session(response: Response) -> None:
    """Log the browser out, and have it forget the pages that it was shown."""
    _set(response, _SESSION, "", 0)
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'


def is_local() -> bool:
    """Whether this is plain http on loopback without a proxy, as under `make run`.

    Everywhere else cookies are for https only.
    """
    if "is_local" not in g:
        g.is_local = _is_local()
    return bool(g.is_local)


def _is_local() -> bool:
    if request.is_secure or any(name.startswith("X-Forwarded-") for name, _ in request.headers):
        return False
    host = request.host.rpartition(":")[0] if request.host.count(":") == 1 else request.host
    return _is_loopback(host.partition("]")[0].removeprefix("["))


@lru_cache(maxsize=256)
def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(name: str) -> str:
    return name if is_local() else f"__Host-{name}"


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        _name(name),
        value,
        max_age=seconds,
        path="/",
        secure=not is_local(),
        httponly=True,
        samesite="Lax",
    )
