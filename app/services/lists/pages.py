"""One page of a short list, newest first: its rows are counted one by one."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.extensions import db

Row = TypeVar("Row")


class Page(NamedTuple, Generic[Row]):
    """The rows of one page, and how many rows match in all."""

    rows: Sequence[Row]
    total: int


def fetch(
    matching: Select[Row],
    key: InstrumentedAttribute[int],
    *,
    limit: int,
    offset: int,
    before: int | None = None,
    most: int | None = None,
) -> Page[Row]:
    """Return a page of the rows that match, sorted by `key`, highest first. Counts up to `most`.

    Rows that arrive between two calls shift an `offset`; they do not shift
    `before`, the last key of the previous page.
    """
    counted = matching.with_only_columns(key).limit(most).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted))
    here: Select[Any] = matching if before is None else matching.where(key < before)
    rows = db.session.scalars(here.order_by(key.desc()).limit(limit).offset(offset)).all()
    return Page(rows, total or 0)
