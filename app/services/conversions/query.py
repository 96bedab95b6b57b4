"""Queries of conversions: a list, an export, one of them, and sums by kind and currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Select, func, select

from app.errors import NotFound
from app.extensions import db
from app.models import Conversion
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page

#: A list counts no further.
COUNTED: Final = 10_000
PART: Final = 1000  # rows an export reads at a time


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **filters: Any
) -> Page[Conversion]:
    """Conversions newest first; see `_matching` for `filters`. Counts up to `COUNTED`.

    `before` is the last id of the page before. Raises NotFound.
    """
    matching = _matching(account_id, **filters)
    counted = matching.with_only_columns(Conversion.id).limit(COUNTED).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted))
    if before is not None:
        matching = matching.where(Conversion.id < before)
    newest = matching.order_by(Conversion.id.desc())
    return Page(db.session.scalars(newest.limit(limit).offset(offset)).all(), total or 0)


def everyone(account_id: int, **filters: Any) -> Iterator[Sequence[Conversion]]:
    """All that match, newest first, by the thousand. Raises NotFound at once."""
    return _parts(_matching(account_id, **filters).order_by(Conversion.id.desc()))


def find(account_id: int, conversion_id: int) -> Conversion:
    """One conversion. Raises NotFound."""
    row = db.session.scalar(
        select(Conversion).where(
            Conversion.id == conversion_id, Conversion.account_id == account_id
        )
    )
    if row is None:
        raise NotFound
    return row


def _parts(newest: Select[Any]) -> Iterator[Sequence[Conversion]]:
    last: int | None = None
    while True:
        part = newest if last is None else newest.where(Conversion.id < last)
        rows = db.session.scalars(part.limit(PART)).all()
        db.session.expunge_all()
        db.session.commit()
        if rows:
            yield rows
        if len(rows) < PART:
            return
        last = rows[-1].id


def _matching(
    account_id: int,
    *,
    campaign: int | None = None,
    lead: int | None = None,
    event: str | None = None,
    click: str | None = None,
    tid: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> Select[Any]:
    """`lead` 0: those without one. `since` and `until` (Unix seconds of `time`) count in."""
    check_owned(account_id, campaign=campaign, lead=lead or None)
    conditions = [
        (campaign, Conversion.campaign_id == campaign),
        (lead, Conversion.lead_id == lead if lead else Conversion.lead_id.is_(None)),
        (event, Conversion.kind == event),
        (click, Conversion.click == click),
        (tid, Conversion.tid == tid),
        (since, Conversion.time >= (since or 0)),
        (until, Conversion.time <= (until or 0)),
    ]
    chosen = [condition for value, condition in conditions if value is not None]
    return select(Conversion).where(Conversion.account_id == account_id, *chosen)
