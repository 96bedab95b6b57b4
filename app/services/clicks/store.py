"""Writes clicks and counts them, many visitors in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from app.database.rows import increment_rows, insert_rows
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Click, SourceDay, table_of
from app.services.updates.group_commit import GroupCommit

_CLICKS: Final = table_of(Click)
_DAYS: Final = table_of(SourceDay)
COLUMNS: Final = (
    "account_id source_id campaign_id token visitor created external referrer ids utm subs ad flags"
).split()
_COUNTERS: Final = ("clicks", "repeats", "previews", "paused")


class Visit(NamedTuple):
    """One visit to be counted as `counter` of a source, and its click if it became one.

    `now` is in Unix seconds; `click` has the values of `COLUMNS` by name.
    """

    source_id: int
    counter: str
    now: float
    click: Mapping[str, Any] | None = None


def record(visit: Visit) -> None:
    """Store a visit. It is committed when this returns."""
    _visits.put(visit)


def _write(visits: Sequence[Visit]) -> None:
    counts: Counter[tuple[int, int, str]] = Counter(
        (visit.source_id, int(visit.now // DAY), visit.counter) for visit in visits
    )
    days: dict[tuple[int, int], dict[str, int]] = {}
    for (source, day, counter), count in counts.items():
        days.setdefault((source, day), dict.fromkeys(_COUNTERS, 0))[counter] += count
    clicks = [[visit.click[name] for name in COLUMNS] for visit in visits if visit.click]
    with db.engine.begin() as connection:
        insert_rows(connection, _CLICKS, COLUMNS, clicks)
        rows = [(*place, *numbers.values()) for place, numbers in sorted(days.items())]
        increment_rows(connection, _DAYS, ("source_id", "day"), _COUNTERS, rows)


_visits: Final = GroupCommit(_write)
