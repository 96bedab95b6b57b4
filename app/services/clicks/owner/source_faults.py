"""What is wrong with the links of an account's ads, as far as their newest clicks tell.

Reads counters of two days and a bounded number of clicks, so it costs the same for every account.
"""

import enum
from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Select, func, select

from app.domain.clicks.link_query import QueryFlag
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Click, Source, SourceDay, SourceStatus

#: So many clicks are enough to speak of a share; fewer may be the owner's own trials.
FEWEST: Final = 20
#: From this percentage on it is told.
SHARE: Final = 5
#: So many of the account's newest clicks are looked at.
NEWEST: Final = 500


class FaultKind(enum.StrEnum):
    """What is wrong."""

    FALLBACK = "fallback"  #: clicks got no invite link of their own
    MACRO = "macro"  #: clicks came with a macro that nobody replaced


class SourceFault(NamedTuple):
    """One thing that is wrong with a source, and the percentage of its newest clicks."""

    kind: FaultKind
    source: int
    title: str
    percent: int


def find(account_id: int, now: int) -> list[SourceFault]:
    """Return what is wrong with the active sources of an account, by source."""
    faults = [
        *_above(FaultKind.FALLBACK, _with_fallbacks(account_id, now)),
        *_above(FaultKind.MACRO, _with_macros(account_id, now)),
    ]
    return sorted(faults, key=lambda fault: fault.source)


def _above(kind: FaultKind, query: Select[int, str, int, int]) -> Iterator[SourceFault]:
    for row in db.session.execute(query):
        if row.clicks >= FEWEST and 100 * row.faulty >= SHARE * row.clicks:
            yield SourceFault(kind, row.id, row.title, round(100 * row.faulty / row.clicks))


def _with_fallbacks(account_id: int, now: int) -> Select[int, str, int, int]:
    """Sources with their clicks and fallbacks of today and yesterday, in UTC."""
    return (
        select(
            Source.id,
            Source.title,
            func.sum(SourceDay.clicks).label("clicks"),
            func.sum(SourceDay.fallbacks).label("faulty"),
        )
        .join(SourceDay, SourceDay.source_id == Source.id)
        .where(
            Source.account_id == account_id,
            Source.status == SourceStatus.ACTIVE,
            SourceDay.day >= now // DAY - 1,
        )
        .group_by(Source.id, Source.title)
    )


def _with_macros(account_id: int, now: int) -> Select[int, str, int, int]:
    """Sources with those of the newest clicks that are of the last 24 hours."""
    newest = (
        select(Click.source_id, Click.created, Click.flags)
        .where(Click.account_id == account_id)
        .order_by(Click.id.desc())
        .limit(NEWEST)
        .subquery()
    )
    has_macro = newest.c.flags.op("&")(int(QueryFlag.UNREPLACED)) != 0
    return (
        select(
            Source.id,
            Source.title,
            func.count().label("clicks"),
            func.count().filter(has_macro).label("faulty"),
        )
        .join(newest, newest.c.source_id == Source.id)
        .where(
            Source.account_id == account_id,
            Source.status == SourceStatus.ACTIVE,
            newest.c.created > now - DAY,
        )
        .group_by(Source.id, Source.title)
    )
