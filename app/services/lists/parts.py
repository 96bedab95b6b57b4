"""Reads a whole list by the thousand, in short transactions: a client may take its time between."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from app.extensions import db

PART: Final = 1000  # rows that are read at a time
#: The time and the id of a row, by which a list is sorted, and behind which its reading goes on.
SortKey = tuple[Any, int]


def behind_each(
    query_behind: Callable[[Any], Select[Any]], place_of: Callable[[Any], Any], place: Any = None
) -> Iterator[Sequence[Any]]:
    """Every row of a list; no part is empty.

    `query_behind` gives the query of what comes behind a place, from the beginning for None, and
    `place_of` the place of a row. Rows that appear meanwhile before that place are left out. With
    a `place` it goes on behind that one.
    """
    while True:
        rows = db.session.scalars(query_behind(place).limit(PART)).all()
        db.session.expunge_all()
        db.session.commit()
        if rows:
            yield rows
        if len(rows) < PART:
            return
        place = place_of(rows[-1])


def newest_first(
    matching: Select[Any], row_id: InstrumentedAttribute[int], after: SortKey | None = None
) -> Iterator[Sequence[Any]]:
    """Every row that matches, by falling `row_id`; only those behind `after`, if it is given."""
    newest = matching.order_by(row_id.desc())
    return behind_each(
        lambda last: newest if last is None else newest.where(row_id < last),
        lambda row: getattr(row, row_id.key),
        after and after[1],
    )
