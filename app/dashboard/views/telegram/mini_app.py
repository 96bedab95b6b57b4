"""Logging in inside Telegram: the login page sends what Telegram has opened it with."""

from typing import Final

from flask import Blueprint, Response, g

from app.dashboard import answers
from app.dashboard.access import forms
from app.dashboard.access.guards import own_path
from app.dashboard.views.login import begin, show
from app.dashboard.views.telegram.bot_login import this_browser
from app.errors import ApiError, NotFound
from app.services.service_bot import bot
from app.services.service_bot.telegram import mini_app
from app.web.auth import counted, public

blueprint = Blueprint("mini_app", __name__)

#: Bytes of the form: init data holds the person's name and the address of their picture.
LARGEST: Final = 16_384


@blueprint.post("/login/app")
@public
@counted
def log_in() -> Response:
    """Ask the person whether to open the dashboard of whom Telegram names, then open it.

    Without the question, a link with init data of a stranger's would log its reader in to the
    stranger's account.
    """
    form = forms.read(largest=LARGEST)
    if bot.find() is None:
        raise NotFound
    target, init_data = own_path(form.get("next", "/")), form.get("init_data", "")
    try:
        if form.get("agreed"):
            return begin(mini_app.log_in(init_data, this_browser()), target)
        name = mini_app.owner_of(init_data)
    except ApiError as error:
        return show(target, error)
    g.pop("account", None)
    hidden = {"init_data": init_data, "next": target, "agreed": "1"}
    return answers.page("login/enter.html", name=name, action="/login/app", hidden=hidden)
