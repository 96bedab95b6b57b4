"""What is around every page: the menu, and what was just done."""

from __future__ import annotations

from typing import NamedTuple

from flask import Flask, g, request

from app.dashboard.periods import choices
from app.domain.lead import Counts
from app.domain.retention import percent
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


def menu() -> list[MenuItem]:
    """Return the screens, in order."""
    screens = (
        ("/", gettext("Overview")),
        ("/campaigns", gettext("Campaigns")),
        ("/bots", gettext("Bots")),
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
        "saved": gettext("It is saved."),
    }
    return texts.get(request.args.get("done", ""), "") if "account" in g else ""


def rate(counts: Counts) -> float:
    """Return how many joined of a hundred who started; 0 where nobody did."""
    return percent(counts.confirms, counts.starts) or 0.0
