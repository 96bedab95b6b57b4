"""Leads found by what somebody knows of them: a click, a name, a Telegram id.

Such leads are few, so an index finds all of them, and the page is cut here. Of more
than `MOST` the newest are shown.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, false, func, select

from app.errors import NotFound
from app.extensions import db
from app.models import Bot, Lead
from app.services.lists.pages import Page

MOST: Final = 1000
#: Newest leads among which a username is found in whatever case of letters it is stored.
RECENT: Final = 20_000
_LARGEST_ID: Final = 2**63 - 1
_NUMBER: Final = re.compile(r"[0-9]{1,19}")


class SearchTerms(NamedTuple):
    """What is known of the leads. All that is set must match; of `text` one reading is enough."""

    click: str | None = None
    username: str | None = None
    subscriber: int | None = None
    text: str | None = None


def find(
    account_id: int,
    terms: SearchTerms,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int = MOST,
    offset: int = 0,
    before: int | None = None,
) -> Page[Lead]:
    """Return the leads of an account that fit `terms` and meet `conditions`, newest first.

    `before` is the last id of the page before. Raises NotFound when it is gone.
    """
    exact = _exact(account_id, terms)
    keys: set[tuple[int, int]] = set()
    for reading in _readings(account_id, terms.text):
        matching = (
            select(Lead.start_time, Lead.id)
            .where(*conditions, *exact, reading)
            .order_by(Lead.start_time.desc(), Lead.id.desc())
            .limit(MOST)
        )
        keys.update((start, number) for start, number in db.session.execute(matching))
    ids = [number for _, number in sorted(keys, reverse=True)[:MOST]]
    if before is not None and before not in ids:
        raise NotFound
    after = 0 if before is None else ids.index(before) + 1
    chosen = ids[after:][offset : offset + limit]
    rows = db.session.scalars(select(Lead).where(Lead.id.in_(chosen))).all()
    return Page(sorted(rows, key=lambda lead: chosen.index(lead.id)), len(ids))


def _exact(account_id: int, terms: SearchTerms) -> list[ColumnElement[bool]]:
    conditions = []
    if terms.click is not None:
        conditions.append(_by_click(terms.click))
    if terms.username is not None:
        conditions.append(_by_username(account_id, terms.username))
    if terms.subscriber is not None:
        conditions.append(_by_subscriber(account_id, terms.subscriber))
    return conditions


def _readings(account_id: int, text: str | None) -> Iterable[ColumnElement[bool]]:
    """What a person may mean who typed `text`: each is asked by itself, by its own index."""
    if text is None:
        return [Lead.account_id == account_id]
    text = text.strip()
    if text.startswith("@"):
        return [_by_username(account_id, text)]
    readings = [_by_click(text), _by_username(account_id, text)]
    if _NUMBER.fullmatch(text) and int(text) <= _LARGEST_ID:
        readings.append(_by_subscriber(account_id, int(text)))
    return readings


def _by_click(click: str) -> ColumnElement[bool]:
    return and_(Lead.click == click, Lead.click != "")


def _by_username(account_id: int, username: str) -> ColumnElement[bool]:
    name = username.strip().removeprefix("@")
    if not name:
        return false()
    newest = (
        select(Lead.username)
        .where(Lead.account_id == account_id)
        .order_by(Lead.start_time.desc(), Lead.id.desc())
        .limit(RECENT)
        .subquery()
    )
    alike = select(newest.c.username).where(func.lower(newest.c.username) == name.lower())
    spellings = {name, *db.session.scalars(alike.distinct())}
    return and_(Lead.username.in_(spellings), Lead.username != "")


def _by_subscriber(account_id: int, subscriber: int) -> ColumnElement[bool]:
    bots = select(Bot.id).where(Bot.account_id == account_id)
    return and_(Lead.bot_id.in_(bots), Lead.subscriber == subscriber)
