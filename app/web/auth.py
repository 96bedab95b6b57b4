"""Auth guards. Every view has exactly one, and a guard test asks each for its name.

A session token of the dashboard opens what the API key opens, and a little
more. The key comes as `Authorization: Bearer`, which wins, or as a value of `?id=`
that looks like `<digits>-<secret>`; an object's own `id` is a bare integer.
A Bearer key may be written as AdTarget writes its own, `atk_live_<id, 8 digits>_<secret>`.
It is never taken from a body, so that a form cannot authenticate itself.
"""

import re
from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Final, ParamSpec

from flask import g, request
from flask.typing import ResponseReturnValue

from app.config import current_settings
from app.errors import BadKey, Banned, MissingKey, Unpaid, translatable
from app.extensions import begin_reading, db
from app.services.accounts import accounts, rate_limits
from app.services.accounts.accounts import Caller
from app.services.accounts.concurrent_calls import LASTING_ENDPOINTS
from app.services.accounts.fair_shares import CALLS
from app.services.service_bot import sessions
from app.web.shares.addresses import address_of, network_of

Arguments = ParamSpec("Arguments")
View = Callable[Arguments, ResponseReturnValue]

KEY: Final = re.compile(r"[0-9]+-.+", re.DOTALL)
#: The same key in the form of AdTarget's, which its clients may insist on.
_ADTARGET_KEY: Final = re.compile(r"atk_live_([0-9]{8})_(\S+)")

#: Endpoints that write although they are asked by GET.
WRITES_BY_GET: Final = frozenset({"transfer.token"})


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
    """Only with an account's API key or session; `g.account` is the caller.

    Raises BadKey, Banned, or Unpaid when the plan and its grace are over.
    """
    return _keyed(view, must_be_paid=True)


def api_key_even_unpaid(view: View[Arguments]) -> View[Arguments]:
    """As `api_key`, for what an account needs in order to pay."""
    return _keyed(view, must_be_paid=False)


def session(view: View[Arguments]) -> View[Arguments]:
    """Only with a session; `g.account.session_id` is which. Raises BadKey or Banned."""

    @wraps(view)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
        _authenticate(must_be_paid=False)
        if g.account.session_id is None:
            raise BadKey(translatable("this needs a session, which the API key is not"))
        with CALLS.share(g.account.id):
            return view(*args, **kwargs)

    return mark("session")(guarded)


def _keyed(view: View[Arguments], *, must_be_paid: bool) -> View[Arguments]:
    @wraps(view)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
        _authenticate(must_be_paid=must_be_paid)
        calls = LASTING_ENDPOINTS.get(request.endpoint or "")
        lasting = calls.running(g.account.id) if calls else nullcontext()
        working = rate_limits.work_counted(request.endpoint or "", str(g.account.id))
        with lasting, CALLS.share(g.account.id), working:
            return view(*args, **kwargs)

    return mark("api_key" if must_be_paid else "api_key_even_unpaid")(guarded)


def counted(view: View[Arguments]) -> View[Arguments]:
    """Calls by strangers, so many from each address. Beside a guard, not for one."""

    @wraps(view)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
        rate_limits.ANONYMOUS.hit(caller_network())
        return view(*args, **kwargs)

    return guarded


def _authenticate(*, must_be_paid: bool) -> None:
    """Let in as `g.account`, and count: an account by itself, the others by address.

    A right key is let in from an address that has brought too many wrong ones:
    an office, or all the customers behind one proxy, share an address.
    """
    try:
        key = presented_key()
        authenticate = (
            sessions.authenticate if key.startswith(sessions.PREFIX) else accounts.authenticate
        )
        caller: Caller = authenticate(key, must_be_paid=must_be_paid)
    except (BadKey, Banned, Unpaid):
        db.session.rollback()  # nothing is held while Redis is asked
        rate_limits.ANONYMOUS.hit(caller_network())
        raise
    g.account = caller  # known before it is counted: a refusal is written in its language
    rate_limits.AUTHENTICATED.hit(str(caller.id))
    if request.method == "GET" and request.endpoint not in WRITES_BY_GET:
        begin_reading()
    if limit := rate_limits.EXPENSIVE_ENDPOINTS.get(request.endpoint or ""):
        limit.hit(str(caller.id))


def presented_key() -> str:
    """The key of this request. Raises MissingKey if it brings none."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        token = token.strip()
        adtarget = _ADTARGET_KEY.fullmatch(token)
        return f"{int(adtarget[1])}-{adtarget[2]}" if adtarget else token
    for value in request.args.getlist("id"):
        if KEY.fullmatch(value):
            return value
    raise MissingKey


def caller_network() -> str:
    """Who calls, for counting strangers, as `network_of` says it."""
    return network_of(caller_address())


def caller_address() -> str:
    """Who calls, for counting: the peer, or whom a proxy that the operator names tells of."""
    return address_of(request.environ, current_settings().trusted_proxies)
