"""Guards. Every view wears exactly one, and a test asks each for its name.

The key comes as `Authorization: Bearer`, which wins, or as a value of `?id=`
that looks like `<digits>-<secret>`; an object's own `id` is a bare integer.
It is never taken from a body, so that a form cannot authenticate itself.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from flask import Response, g, request
from flask.typing import ResponseReturnValue

from app.errors import BadKey
from app.services import accounts
from app.vault import vault

Arguments = ParamSpec("Arguments")
View = Callable[Arguments, ResponseReturnValue]

TELEGRAM_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
KEY: Final = re.compile(r"[0-9]+-.+", re.DOTALL)


def mark(guard: str) -> Callable[[View[Arguments]], View[Arguments]]:
    """Name the guard of a view that does its own guarding."""

    def decorate(view: View[Arguments]) -> View[Arguments]:
        view.guard = guard  # type: ignore[attr-defined]
        return view

    return decorate


def public(view: View[Arguments]) -> View[Arguments]:
    """Anyone may call this view."""
    return mark("public")(view)


def api_key(view: View[Arguments]) -> View[Arguments]:
    """Only with an account's API key; `g.account` is the caller.

    Raises BadKey, Banned, or Unpaid when the plan and its grace are over.
    """
    return _keyed(view, must_be_paid=True)


def api_key_even_unpaid(view: View[Arguments]) -> View[Arguments]:
    """As `api_key`, for what an account needs in order to pay."""
    return _keyed(view, must_be_paid=False)


def telegram_secret(view: View[Arguments]) -> View[Arguments]:
    """Only Telegram, by the secret header that belongs to the path.

    The expected secret is derived from the path, so an unknown path and a
    wrong secret take the same road: no look-up, same time, same empty answer.
    """

    @wraps(view)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
        expected = vault.webhook_secret(str(kwargs["path"])).encode()
        given = request.headers.get(TELEGRAM_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(expected, given):
            return Response(status=401)
        return view(*args, **kwargs)

    return mark("telegram_secret")(guarded)


def _keyed(view: View[Arguments], *, must_be_paid: bool) -> View[Arguments]:
    @wraps(view)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
        g.account = accounts.admit(presented_key(), must_be_paid=must_be_paid)
        return view(*args, **kwargs)

    return mark("api_key" if must_be_paid else "api_key_even_unpaid")(guarded)


def presented_key() -> str:
    """The key of this request. Raises BadKey if it brings none."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    for value in request.args.getlist("id"):
        if KEY.fullmatch(value):
            return value
    raise BadKey
