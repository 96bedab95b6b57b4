"""What is around every page: the menu, and what was just done."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask, g, request
from markupsafe import Markup

from app.dashboard.access.guards import here
from app.dashboard.answers import LONG
from app.dashboard.formatting import pills
from app.dashboard.periods import choices, kept_filters, period_fields, titles
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
    app.add_template_global(choices, "period_choices")
    app.add_template_global(titles, "period_titles")
    by_own_name: list[Callable[..., Any]] = [way_back, done_text, rate, is_long, kept_filters]
    by_own_name += [period_fields, state_words, state_name, state_pills]
    for function in by_own_name:
        app.add_template_global(function)
    app.add_template_filter(pairs, "pair")


def way_back() -> str:
    """Return the address of this page, where it can be loaded again; else that of the overview."""
    return here() if request.method == "GET" else "/"


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
    here = request.path
    return [
        MenuItem(path, title, here == path or (path != "/" and here.startswith(f"{path}/")))
        for path, title in screens
    ]


def done_text() -> str:
    """Say what a form has done, as the query of the page after it tells; "" if nothing."""
    done = request.args.get("done")
    if done is None or "account" not in g:
        return ""
    texts = {
        "added": gettext("It is connected."),
        "checked": gettext("Telegram is asked within a few seconds; reload the page then."),
        "removed": gettext("It is deleted."),
        "tracked": gettext("The chat is tracked. The next step is on the overview."),
        "ended": gettext("It is over."),
        "again": gettext("It is on its way again."),
        "saved": gettext("It is saved."),
        "hidden": gettext("It is hidden for 7 days."),
        "erased": gettext("What told of this person is erased."),
    }
    return texts.get(done, "")


def state_words() -> dict[str, str]:
    """Return a word for each state of a postback, by its name in the API."""
    return {state_name(state): word for state, (_, word) in _states().items()}


def state_pills() -> dict[int, Markup]:
    """Return the pill of each state of a postback."""
    return pills(_states())


def _states() -> dict[int, tuple[str, str]]:
    return {
        PostbackState.WAITING: ("calm", gettext("waiting")),
        PostbackState.SENDING: ("calm", gettext("being sent")),
        PostbackState.DELIVERED: ("good", gettext("delivered")),
        PostbackState.REJECTED: ("bad", gettext("rejected")),
        PostbackState.FAILED: ("bad", gettext("failed")),
        PostbackState.SUPERSEDED: ("warn", gettext("superseded")),
        PostbackState.DISCARDED: ("warn", gettext("discarded")),
    }


def state_name(state: int) -> str:
    """Return the name in the API of a postback's state."""
    return PostbackState(state).name.lower()


def is_long(total: int) -> bool:
    """Whether a list of so many rows is prepared as a file instead of being sent at once."""
    return total >= LONG


def pairs(words: list[str]) -> list[tuple[str, str]]:
    """Return words as options of a drop-down that are called as they are."""
    return [(word, word) for word in words]


def rate(counts: Counts) -> float:
    """Return how many joined of a hundred who started; 0 where nobody did."""
    return percent(counts.confirms, counts.starts) or 0.0
