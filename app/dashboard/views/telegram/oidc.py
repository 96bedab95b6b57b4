"""Logging in by Telegram's OpenID Connect: away to Telegram, and back."""

from flask import Blueprint, Response, g, make_response, render_template, request

from app.dashboard.access import cookies, forms
from app.dashboard.access.guards import own_path
from app.dashboard.views.login import LARGEST, begin, show
from app.dashboard.views.telegram.bot_login import this_browser
from app.errors import ApiError, BadParameter, translatable
from app.services.service_bot.telegram import oidc
from app.web.auth import counted, public

blueprint = Blueprint("oidc", __name__)


@blueprint.post("/login/oidc")
@public
@counted
def leave() -> Response:
    """Lead to Telegram. By a page: a redirect would need a hole in the policy of our forms."""
    form = forms.read(largest=LARGEST)
    begun = oidc.begin(own_path(form.get("next", "/")))
    g.pop("account", None)
    response = make_response(render_template("login/leave.html", url=begun.url))
    cookies.OIDC.set(response, begun.secret)
    return response


@blueprint.get(oidc.BACK)
@public
@counted
def back() -> Response:
    """Log in the browser that began, and no other; each login is begun anew."""
    secret, target = cookies.OIDC.text(), "/"
    try:
        target = own_path(oidc.target_of(secret, request.args.get("state", "")))
        if not request.args.get("code"):
            raise BadParameter("login", translatable("Telegram did not log you in"))
        response = begin(oidc.log_in(secret, request.args["code"], this_browser()), target)
    except ApiError as error:
        response = show(target, error)
    cookies.OIDC.clear(response)
    return response
