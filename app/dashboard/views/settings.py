"""Settings of the account: language and zone, notifications, API key, sessions, plan."""

import time
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, Response, g, make_response, render_template

from app.dashboard import answers
from app.dashboard.access import cookies, forms
from app.dashboard.access.guards import changes, own_path, signed_in
from app.domain import tariffs as plans
from app.errors import ApiError
from app.schemas import Input, fields
from app.schemas.profile import Language, Zone
from app.schemas.tariffs import TariffBuy
from app.services import profile
from app.services.billing import tariffs
from app.services.service_bot import sessions
from app.services.service_bot.browsers import browser_name

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


class SessionForm(Input):
    """Which session."""

    session = fields.Int(1, required=True)


@blueprint.get("")
@signed_in
def page() -> Response:
    """Everything that is set for the account."""
    return _page()


@blueprint.post("/look")
@changes(even_unpaid=True)
def look() -> Response:
    """Choose language and zone."""
    try:
        lang = forms.checked(Language(), g.form)["lang"]
        zone = forms.checked(Zone(), g.form)["zone"]
        profile.choose_zone(g.account.id, zone)
        profile.choose_language(g.account.id, lang)
    except ApiError as error:
        return _page(error)
    return answers.redirect_to("/settings?done=saved")


@blueprint.post("/language")
@changes(even_unpaid=True)
def language() -> Response:
    """Choose the language, from any page, and go back to it."""
    profile.choose_language(g.account.id, forms.checked(Language(), g.form)["lang"])
    return answers.redirect_to(own_path(g.form.get("next", "")))


@blueprint.post("/notifications")
@changes()
def notifications() -> Response:
    """Switch notifications."""
    profile.choose_notifications(g.account.id, tariff="tariff" in g.form, leads="leads" in g.form)
    return answers.redirect_to("/settings?done=saved")


@blueprint.post("/key")
@changes("profile.apikey")
def key() -> Response:
    """Replace the API key, and show the new one, this once."""
    fresh = sessions.rotate_key(g.account, end_sessions="end_sessions" in g.form)
    return _page(key=fresh)


@blueprint.post("/sessions")
@changes(even_unpaid=True)
def end_sessions() -> Response:
    """End one session, or all others."""
    try:
        if g.form.get("do") == "others":
            sessions.end_others(g.account.id, g.account.session_id)
        else:
            number = forms.checked(SessionForm(), g.form)["session"]
            sessions.end(g.account.id, number)
    except ApiError as error:
        return _page(error)
    response = answers.redirect_to("/settings?done=ended")
    if all(row.id != g.account.session_id for row in sessions.listed(g.account.id)):
        cookies.clear_session(response)
    return response


@blueprint.post("/plan")
@changes("tariffs.buy", even_unpaid=True)
def buy() -> Response:
    """Choose a plan; one that costs something leads to where it is paid."""
    try:
        url = tariffs.buy(g.account.id, forms.checked(TariffBuy(), g.form)["tariff"])
    except ApiError as error:
        return _page(error)
    if not url:
        return answers.redirect_to("/settings?done=saved")
    return make_response(render_template("settings/pay.html", url=url))


def _page(error: ApiError | None = None, key: str = "") -> Response:
    account, now = profile.read(g.account.id), time.time()
    values: dict[str, Any] = {
        "profile": account,
        "sessions": [(row, browser_name(row.agent)) for row in sessions.listed(g.account.id)],
        "plans": plans.PLANS.values(),
        "may_choose": plans.may_choose(account.account.tariff, account.account.paid_until, now),
        "payments": tariffs.history(g.account.id, limit=20).rows,
        "zones": sorted(available_timezones()) or ["UTC"],
        "key": key,
    }
    return answers.page("settings/settings.html", error, **values)
