"""Rows by conditions that no index serves: they are looked for among the newest of a list.

That bounds what is read, however rare a match is: an index gives the ids of the newest, and each
row is then looked up by itself. A join, or a condition beside the index, may read the whole list.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Integer, Select, Subquery, and_, bindparam, func, select, tuple_
from sqlalchemy.orm import aliased

from app.database.direct import fetch
from app.extensions import db
from app.services.lists.pages import Page
from app.services.lists.parts import SortKey


def has_values(model: Any, newest: Subquery, columns: Iterable[str]) -> list[Any]:
    """Return the condition that each of `columns` has the value of the parameter of its name.

    `newest` has the `id` of each row. The list is empty without columns.
    """
    row = aliased(model)
    compared = [getattr(row, name) == bindparam(name) for name in columns]
    if not compared:
        return []
    return [select(and_(*compared)).where(row.id == newest.c.id).scalar_subquery()]


def page_of(newest: Subquery, conditions: Iterable[Any], *, is_behind: bool) -> Select[Any]:
    """Select a page of the rows of `newest` that meet `conditions`, for `read`.

    `newest` has the `id` and the `time` of each row. If `is_behind` they come behind the sort key
    in the parameters `before_time` and `before_id`.
    """
    matching = select(newest.c.id, newest.c.time).where(*conditions).cte("matching")
    total = select(func.count()).select_from(matching).scalar_subquery()
    page = select(matching.c.id, total.label("total"))
    if is_behind:
        place = tuple_(bindparam("before_time"), bindparam("before_id"))
        page = page.where(tuple_(matching.c.time, matching.c.id) < place)
    page = page.order_by(matching.c.time.desc(), matching.c.id.desc())
    limit, offset = (bindparam(name, type_=Integer) for name in ("limit", "offset"))
    return page.limit(limit).offset(offset)


def read(
    statement: Callable[[bool], Select[Any]],
    values: Mapping[str, Any],
    *,
    limit: int,
    offset: int,
    behind: SortKey | None,
) -> Page[int]:
    """Return the ids of a page, and how many rows match. `statement(is_behind)` is a `page_of`."""
    place = dict(zip(("before_time", "before_id"), behind or (), strict=False))
    terms = {**values, **place, "limit": limit, "offset": offset}
    rows = fetch(db.session.connection(), statement(behind is not None), terms)
    if not rows and (offset or behind):  # nothing tells how many are before it
        return Page([], read(statement, values, limit=1, offset=0, behind=None).total)
    return Page([row.id for row in rows], rows[0].total if rows else 0)
