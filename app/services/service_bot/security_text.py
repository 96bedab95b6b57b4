"""What an account is told of its sessions and keys, and the buttons to take it back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from app.models import NoticeKind
from app.services.service_bot import UNDO
from app.services.service_bot.logins import describe_page
from app.translations import gettext

About = Mapping[str, Any]


def describe(kind: NoticeKind, about: About) -> str:
    """Say in the language in use what a notice of this kind is about."""
    if kind is NoticeKind.SESSION:
        page = describe_page(about["agent"], about["address"], about["shown"])
        return gettext("A page has logged in to your account. %(page)s", page=page)
    return gettext(
        "Your API key was replaced at %(time)s UTC. The one before does not work any more.",
        time=time.strftime("%Y-%m-%d %H:%M", time.gmtime(about["at"])),
    )


def buttons(notices: Sequence[About]) -> list[list[dict[str, str]]]:
    """Return the rows of buttons for what these notices are about: each login can be undone."""
    logins = dict.fromkeys(about.get("login") for about in notices)
    label = gettext("It was not me")
    return [[{"text": label, "callback_data": f"{UNDO}:{login}"}] for login in logins if login]
