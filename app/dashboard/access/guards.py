"""Guards of the screens: who is logged in, and whether a form may change something.

Each view has exactly one, as those of the API; `app.web.auth.mark` names it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import wraps
from typing import ParamSpec

from flask import g, request
from flask.typing import ResponseReturnValue

from app.dashboard.access import cookies, forms
from app.errors import BadKey, Unpaid
from app.extensions import begin_reading, db
from app.services.accounts import rate_limits
from app.services.accounts.concurrent_calls import LASTING_ENDPOINTS
from app.services.accounts.fair_shares import CALLS
from app.services.service_bot import sessions
from app.web.auth import caller_network, mark

Arguments = ParamSpec("Arguments")
View = Callable[Arguments, ResponseReturnValue]


def signed_in(view: View[Arguments]) -> View[Arguments]:
    """Only with a session; `g.account` is the caller. Also when the plan is over.

    Raises BadKey, which leads to the login page, Banned, or TooManyRequests.
    """

    @wraps(view)
    def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
        authenticate()
        with CALLS.share(g.account.id):
            return view(*args, **kwargs)

    return mark("signed_in")(guarded)


def changes(
    like: str = "", *, even_unpaid: bool = False
) -> Callable[[View[Arguments]], View[Arguments]]:
    """Only with a session, and with a form that one of our pages showed; `g.form` is the form.

    `like` names the endpoint of the API that does the same, whose limits hold here too. Raises
    as `signed_in`, FormTooOld, or Unpaid where the plan is over unless `even_unpaid`.
    """

    def decorate(view: View[Arguments]) -> View[Arguments]:
        @wraps(view)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> ResponseReturnValue:
            authenticate()
            g.form = forms.read()
            if g.account.has_lapsed and not even_unpaid:
                raise Unpaid
            with limited(like), CALLS.share(g.account.id):
                return view(*args, **kwargs)

        return mark("changes")(guarded)

    return decorate


@contextmanager
def limited(like: str) -> Iterator[None]:
    """Count the block under the limits of the API's endpoint `like`; "" has none.

    Raises TooManyRequests.
    """
    if limit := rate_limits.EXPENSIVE_ENDPOINTS.get(like):
        limit.hit(str(g.account.id))
    calls = LASTING_ENDPOINTS.get(like)
    lasting = calls.running(g.account.id) if calls else nullcontext()
    with lasting, rate_limits.work_counted(like, str(g.account.id)):
        yield


def authenticate() -> None:
    """Let the browser's session in as `g.account`. Raises BadKey, Banned or TooManyRequests."""
    token = cookies.session_token()
    if not token:
        raise BadKey
    try:
        g.account = sessions.authenticate(token, must_be_paid=False)
    except BadKey:
        db.session.rollback()  # nothing is held while Redis is asked
        rate_limits.ANONYMOUS.hit(caller_network())
        raise
    rate_limits.AUTHENTICATED.hit(str(g.account.id))
    if request.method == "GET":
        begin_reading()


def own_path(text: str) -> str:
    """Return `text` if it is a path of ours, else "/": nobody is led away after a login."""
    is_path = text.startswith("/") and not text.startswith(("//", "/\\"))
    return text if is_path and text.isascii() and text.isprintable() and "\\" not in text else "/"


def here() -> str:
    """Return the path and the query of this request, to come back to."""
    return request.full_path.rstrip("?")
