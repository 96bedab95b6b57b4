"""What an account is told of its sessions, keys and transfers, and the buttons to stop them."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app import errors
from app.errors import translatable
from app.models import NoticeKind
from app.services.service_bot import KEEP, UNDO
from app.services.service_bot.logins import describe_page, page_values
from app.services.service_bot.sessions import OpenedBy
from app.translations import gettext, translated
from plugins.contract import TranslatableText

About = Mapping[str, Any]

#: What is said of a transfer, by what became of it.
_TRANSFERS: Final[Mapping[str, str]] = {
    "asked": translatable(
        "%(title)s goes to %(name)s at %(time)s UTC. Until then you can call it off."
    ),
    "called_off": translatable("%(title)s stays: its transfer to %(name)s was called off."),
    "done": translatable("%(title)s has gone to %(name)s."),
    "failed": translatable("%(title)s has not gone to %(name)s: %(reason)s."),
    "reversed": translatable("%(title)s has come back from %(name)s."),
    "received": translatable("%(name)s has given you %(title)s."),
    "lost": translatable(
        "%(title)s has gone back to %(name)s: whoever gave it to you was not the owner. "
        "Campaigns that you made for it since have ended; what they gathered stays with you."
    ),
}
#: Why a transfer could not take effect, by the code of the error.
_REASONS: Final[Mapping[str, str]] = {
    error.code: error.default
    for error in (
        errors.NotFound,
        errors.Banned,
        errors.RecipientUnpaid,
        errors.PlanLimit,
        errors.NotAdminThere,
    )
}


def describe(kind: NoticeKind, about: About) -> str:
    """Say in the language in use what a notice of this kind is about."""
    if kind is NoticeKind.SESSION:
        return _session(about)
    if kind is NoticeKind.KEY:
        return gettext(
            "Your API key was replaced at %(time)s UTC. The one before does not work any more.",
            time=_minute(about["at"]),
        )
    return _transfer(about)


def _session(about: About) -> str:
    page = (about["agent"], about["address"], about["shown"])
    match about.get("opened_by"):
        case OpenedBy.KEY:
            return gettext(
                "Your API key has opened the dashboard with %(browser)s from the address "
                "%(address)s at %(time)s UTC; sessions by the key that are open: %(count)s. If it "
                "was not you, replace the key in the settings: that ends them.",
                **page_values(*page),
                count=about["count"],
            )
        case OpenedBy.LINK:
            return gettext(
                "A link of the operator's has opened your dashboard with %(browser)s from the "
                "address %(address)s at %(time)s UTC.",
                **page_values(*page),
            )
        case _:
            page_text = describe_page(*page)
            return gettext("A page has logged in to your account. %(page)s", page=page_text)


def buttons(notices: Sequence[About]) -> list[list[dict[str, str]]]:
    """Return the rows of buttons: to call off each transfer, and to undo each login."""
    asked = [about for about in notices if about.get("what") == "asked"]
    logins = dict.fromkeys(about.get("login") for about in notices)
    label = gettext("It was not me")
    return [
        *(
            [
                {
                    "text": gettext("Call it off: %(title)s", title=about["title"])[:40],
                    "callback_data": f"{KEEP}:{about['transfer']}",
                }
            ]
            for about in asked
        ),
        *([{"text": label, "callback_data": f"{UNDO}:{login}"}] for login in logins if login),
    ]


def _transfer(about: About) -> str:
    reason = _REASONS.get(about.get("reason", ""), errors.ApiError.default)
    values = {
        "title": about["title"],
        "name": about["name"],
        "time": _minute(about["due"]),
        "reason": translated(TranslatableText(reason)),
    }
    text = translated(_TRANSFERS[about["what"]]) % values
    if about["what"] == "asked" and not about["leads"]:
        text += " " + gettext("Its leads are deleted then, for good.")
    return text


def _minute(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment))
