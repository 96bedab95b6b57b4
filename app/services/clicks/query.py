"""Queries of clicks: a list, and one click with all that was kept of it."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select

from app.domain.time_ranges import YEAR_10000
from app.extensions import db
from app.models import Click
from app.services.lists import ownership, pages
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page

#: A click may get a higher id than one that began later, by at most so many seconds.
SKEW: Final = 3600
#: A list counts no further: a million clicks are not counted for the number above a page.
COUNTED: Final = 10_000


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **filters: Any
) -> Page[Click]:
    """Clicks newest first; see `_matching` for `filters`. Counts up to `COUNTED`.

    `before` is the last id of the page before. Raises NotFound.
    """
    matching = _matching(account_id, **filters)
    key = Click.id
    return pages.fetch(matching, key, limit=limit, offset=offset, before=before, most=COUNTED)


def find(account_id: int, click_id: int) -> Click:
    """One click. Raises NotFound."""
    return ownership.find(Click, account_id, click_id)


def _matching(
    account_id: int,
    *,
    source: int | None = None,
    token: str | None = None,
    external: str | None = None,
    joined: bool | None = None,
    pressed: bool | None = None,
    since: int | None = None,
    until: int | None = None,
) -> Select[Click]:
    """`joined`: whether the click became a lead; `pressed`: whether the link was followed.

    `since` and `until` are Unix seconds, both included.
    """
    check_owned(account_id, source=source)
    conditions = [
        (source, Click.source_id == source),
        (token, Click.token == token),
        (external, Click.external == external),
        (joined, Click.lead_id.is_not(None) if joined else Click.lead_id.is_(None)),
        (pressed, Click.pressed.is_not(None) if pressed else Click.pressed.is_(None)),
        (since, Click.created >= (since or 0)),
        (until, Click.created <= (until or 0)),
    ]
    chosen = [condition for value, condition in conditions if value is not None]
    return select(Click).where(Click.account_id == account_id, *chosen, *_id_bounds(since, until))


def _id_bounds(since: int | None, until: int | None) -> list[ColumnElement[bool]]:
    """Conditions on the id, which rises with the time: last month's list reads no newer click."""
    bounds = []
    if since is not None and since > 0:
        before = select(Click.id).where(Click.created < since - SKEW)
        first = db.session.scalar(before.order_by(Click.created.desc(), Click.id).limit(1))
        if first is not None:
            bounds.append(Click.id > first)
    if until is not None and until < YEAR_10000:
        behind = select(Click.id).where(Click.created > until + SKEW)
        last = db.session.scalar(behind.order_by(Click.created, Click.id.desc()).limit(1))
        if last is not None:
            bounds.append(Click.id < last)
    return bounds
