"""Queries of conversions: a list, an export, one of them, and sums by kind and currency."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, func, select

from app.domain.conversions.report import MICRO
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Campaign, Conversion, ConversionDay
from app.services.lists import ownership, pages, parts
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page
from app.services.lists.scope import Scope

#: A list counts no further.
COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Sum:
    """Number and sum, in millionths, of the conversions of one kind and currency."""

    kind: str
    currency: str
    count: int
    value_micro: int


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **filters: Any
) -> Page[Conversion]:
    """Conversions newest first; see `_matching` for `filters`. Counts up to `COUNTED`.

    `before` is the last id of the page before. Raises NotFound.
    """
    matching = _matching(account_id, **filters)
    key = Conversion.id
    return pages.fetch(matching, key, limit=limit, offset=offset, before=before, most=COUNTED)


def read_all(account_id: int, **filters: Any) -> Iterator[Sequence[Conversion]]:
    """All that match, newest first, by the thousand. Raises NotFound at once."""
    return parts.newest_first(_matching(account_id, **filters), Conversion.id)


def find(account_id: int, conversion_id: int) -> Conversion:
    """One conversion. Raises NotFound."""
    return ownership.find(Conversion, account_id, conversion_id)


def sums(scope: Scope) -> list[Sum]:
    """Number and sum of conversions by kind and currency, over whole UTC days.

    Without ends the last 30 days. Raises NotFound, or BadParameter for an empty range.
    """
    scope.check_owned()
    since, until = scope.seconds()
    own = select(Campaign.id).where(Campaign.account_id == scope.account_id)
    days = ConversionDay.day.between(since // DAY, until // DAY)
    count, value = func.sum(ConversionDay.count), ConversionDay.value_micro
    # Whole units and the rest of them apart: no sum of days fits 64 bits for certain.
    matching = (
        select(
            ConversionDay.kind,
            ConversionDay.currency,
            count.label("number"),
            func.sum(value // MICRO).label("units"),
            func.sum(value % MICRO).label("rest"),
        )
        .where(ConversionDay.campaign_id.in_(own), days)
        .group_by(ConversionDay.kind, ConversionDay.currency)
        .having(count > 0)
        .order_by(ConversionDay.kind, ConversionDay.currency)
    )
    if scope.campaign is not None:
        matching = matching.where(ConversionDay.campaign_id == scope.campaign)
    return [
        Sum(row.kind, row.currency, int(row.number), int(row.units) * MICRO + int(row.rest))
        for row in db.session.execute(matching)
    ]


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
