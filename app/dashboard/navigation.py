"""What is around every page: the menu, and what was just done."""

from __future__ import annotations

from typing import NamedTuple

from flask import Flask, g, request

from app.dashboard.periods import choices
from app.domain.lead import Counts
from app.domain.retention import percent
from app.models import PostbackState
from app.translations import gettext


class MenuItem(NamedTuple):
    """A screen in the menu. `is_here`: the page belongs to it."""

    path: str
    title: str
    is_here: bool


def register(app: Flask) -> None:
    """Offer the functions below to the templates."""
    app.add_template_global(menu, "navigation")
    app.add_template_global(done_text, "done_text")
    app.add_template_global(choices, "period_choices")
    app.add_template_global(rate, "rate")
    app.add_template_global(state_words, "state_words")
    app.add_template_global(state_name, "state_name")
    app.add_template_filter(pairs, "pair")


def menu() -> list[MenuItem]:
    """Return the screens, in order."""
    screens = (
        ("/", gettext("Overview")),
        ("/campaigns", gettext("Campaigns")),
        ("/sources", gettext("Sources")),
        ("/leads", gettext("Leads")),
        ("/requests", gettext("Join requests")),
        ("/deliveries", gettext("Deliveries")),
        ("/trackers", gettext("Trackers")),
        ("/statistics", gettext("Statistics")),
        ("/journal", gettext("Journal")),
        ("/bots", gettext("Bots")),
        ("/settings", gettext("Settings")),
    )
    return [MenuItem(path, title, _is_here(path)) for path, title in screens]


def _is_here(path: str) -> bool:
    here = request.path
    return here == path or (path != "/" and here.startswith(f"{path}/"))


def done_text() -> str:
    """Say what a form has done, as the query of the page after it tells; "" if nothing."""
    texts = {
        "added": gettext("It is connected."),
        "checked": gettext("Telegram is asked within a few seconds; reload the page then."),
        "removed": gettext("It is deleted."),
        "tracked": gettext("The chat is tracked. Write a welcome, then take the link."),
        "ended": gettext("It is over."),
        "again": gettext("It is on its way again."),
        "saved": gettext("It is saved."),
        "hidden": gettext("It is hidden for 7 days."),
        "erased": gettext("What told of this person is erased."),
    }
    return texts.get(request.args.get("done", ""), "") if "account" in g else ""


def state_words() -> dict[str, str]:
    """Return a word for each state of a postback, by its name in the API."""
    return {
        "waiting": gettext("waiting"),
        "sending": gettext("being sent"),
        "delivered": gettext("delivered"),
        "rejected": gettext("rejected"),
        "failed": gettext("failed"),
        "superseded": gettext("superseded"),
        "discarded": gettext("discarded"),
    }


def state_name(state: int) -> str:
    """Return the name in the API of a postback's state."""
    return PostbackState(state).name.lower()


def pairs(words: list[str]) -> list[tuple[str, str]]:
    """Return words as options of a drop-down that are called as they are."""
    return [(word, word) for word in words]


def rate(counts: Counts) -> float:
    """Return how many joined of a hundred who started; 0 where nobody did."""
    return percent(counts.confirms, counts.starts) or 0.0
