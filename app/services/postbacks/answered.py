"""What trackers answered last: codes and latencies of last attempts, and deliveries by code.

Attempts know neither account nor tracker, so all of it is read for a bounded number of deliveries.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Integer,
    Select,
    Subquery,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.orm import aliased

from app.database.direct import among, fetch
from app.database.rows import is_postgresql
from app.extensions import db
from app.models import Attempt, Postback, PostbackState, table_of
from app.services.lists import among_newest, long_lists, ownership
from app.services.lists.pages import Page

#: Among so many deliveries, the newest, those of a class of codes are looked for.
SEARCHED: Final = 5_000
#: Of so many deliveries, the newest, latency is measured.
MEASURED: Final = 200
_NO_ANSWER: Final = "none"
#: Filters as `log.listed` names them; the first three have an index of their own, the best first.
_COLUMNS: Final = {
    "lead": "lead_id",
    "dest": "destination_id",
    "campaign": "campaign_id",
    "event": "kind",
    "state": "state",
}
_INDEXED: Final = ("lead_id", "destination_id", "campaign_id", "account_id")
_THESE: Final = select(Postback).where(Postback.id.in_(bindparam("ids", expanding=True)))


class LastAttempt(NamedTuple):
    """The status code, None without an answer, and milliseconds of a delivery's last attempt."""

    status: int | None
    ms: int


class Latency(NamedTuple):
    """Milliseconds within which a half and 95 of 100 attempts ended, of how many attempts."""

    p50: int
    p95: int
    attempts: int


class Figures(NamedTuple):
    """Last attempts by delivery, and the latency of the newest; None if none was tried."""

    last: Mapping[int, LastAttempt]
    latency: Latency | None


class _Filters(NamedTuple):
    """The columns that are compared, and the values of all parameters. `is_trouble`: see below."""

    names: frozenset[str]
    values: dict[str, Any]
    is_trouble: bool


def last_attempts(postback_ids: Sequence[int]) -> Mapping[int, LastAttempt]:
    """Return the last attempt of each of these postbacks; none for one that was not tried."""
    connection = db.session.connection()
    rows = fetch(connection, _of_these(is_postgresql(connection)), {"ids": list(postback_ids)})
    return {row.postback_id: LastAttempt(row.status, row.ms) for row in rows}


def figures(account_id: int, shown: Sequence[int], **filters: Any) -> Figures:
    """Return the last attempts of the postbacks `shown`, and how long the newest ones took.

    These are the last attempts of the newest MEASURED deliveries. `filters` as in `log.listed`:
    the one with the best index gives the deliveries, and the others choose among these, so that
    however rare a match is, no more is read. Asks once more for those `shown` that are older.
    """
    chosen = _filters(account_id, **filters)
    statement = _measured(chosen.names, chosen.is_trouble, MEASURED)
    rows = fetch(db.session.connection(), statement, chosen.values)
    last = {row.id: LastAttempt(row.status, row.ms) for row in rows}
    older = [number for number in shown if number not in last]
    took = sorted(attempt.ms for attempt in last.values())
    return Figures({**last, **last_attempts(older)} if older else last, _latency(took))


def of_class(
    account_id: int,
    status: str,
    *,
    limit: int = SEARCHED,
    offset: int = 0,
    before: int | None = None,
    **filters: Any,
) -> Page[int]:
    """Return the ids of a page of deliveries whose last attempt has a code of a class.

    They are looked for among the SEARCHED newest that the filter with the best index finds, and
    the other `filters` choose among these. Newest first; all behind `before` if it is given.
    Raises NotFound when that one is gone.
    """
    names, values, is_trouble = _filters(account_id, **filters)
    row = None if before is None else ownership.find(Postback, account_id, before)
    return among_newest.read(
        lambda is_behind: _of_class(names, is_trouble, is_behind, SEARCHED),
        {**values, "class": _class_of(status)},
        limit=limit,
        offset=offset,
        behind=(row.created, row.id) if row else None,
    )


def page_of_class(account_id: int, status: str, **filters: Any) -> Page[Postback]:
    """As `of_class`, with the deliveries themselves."""
    page = of_class(account_id, status, **filters)
    rows = {row.id: row for row in db.session.scalars(_THESE, {"ids": page.rows})}
    return Page([rows[number] for number in page.rows if number in rows], page.total)


def only_of_class(status: str, parts: Iterable[Sequence[Postback]]) -> Iterator[Sequence[Postback]]:
    """Return those of a class out of all parts of a long list; no part is empty."""
    hundreds = _class_of(status)
    for part in parts:
        last = last_attempts([row.id for row in part])
        db.session.commit()  # a client may take its time with what it gets
        codes = {number: attempt.status or 0 for number, attempt in last.items()}
        if rows := [row for row in part if codes.get(row.id, 0) // 100 == hundreds]:
            yield rows


def _latency(took: Sequence[int]) -> Latency | None:
    """Return the latency of attempts that took so long, the shortest first."""
    if not took:
        return None
    p50, p95 = (took[math.ceil(len(took) * part / 100) - 1] for part in (50, 95))
    return Latency(p50, p95, len(took))


def _class_of(status: str) -> int:
    return 0 if status == _NO_ANSWER else int(status[0])


def _filters(
    account_id: int, *, since: int | None = None, until: int | None = None, **filters: Any
) -> _Filters:
    period = long_lists.RowQuery({}, since, until)
    ends = long_lists.without_none({"start": period.start, "end": period.end})
    columns = {_COLUMNS[name]: filters[name] for name in filters}
    values = {"account_id": account_id, **columns, **ends}
    has_own_index = any(name in columns for name in _INDEXED)
    is_trouble = not has_own_index and columns.get("state", 0) > PostbackState.DELIVERED
    return _Filters(frozenset(values), values, is_trouble)


def _window(names: frozenset[str], is_trouble: bool, most: int) -> tuple[Subquery, Sequence[str]]:
    """Select the newest deliveries by an index alone; return them, and what is to be compared yet.

    With `is_trouble` that is the index of deliveries that ended without success, by their state.
    """
    leading: list[str] = [next(column for column in _INDEXED if column in names)]
    newest = select(Postback.id, Postback.created.label("time"))
    if is_trouble:  # the condition of the index stands in the text, or SQLite does not use it
        leading.append("state")
        newest = newest.where(text(f"postback.state > {PostbackState.DELIVERED:d}"))
    newest = newest.where(*(getattr(Postback, name) == bindparam(name) for name in leading))
    if "start" in names:
        newest = newest.where(Postback.created >= bindparam("start"))
    if "end" in names:
        newest = newest.where(Postback.created < bindparam("end"))
    newest = newest.order_by(Postback.created.desc(), Postback.id.desc())
    rest = [name for name in (*_INDEXED, "kind", "state") if name in names and name not in leading]
    return newest.limit(most).subquery(), rest


def _last(column: Any, window: Subquery) -> Any:
    """Select a column of the last attempt of each delivery."""
    attempt = aliased(Attempt)
    attempts = select(getattr(attempt, column.key)).where(attempt.postback_id == window.c.id)
    return attempts.order_by(attempt.id.desc()).limit(1).scalar_subquery()


@cache  # to make it takes longer than to run it
def _of_these(postgresql: bool) -> Any:
    last = select(func.max(Attempt.id)).where(among(postgresql, Attempt.postback_id, "ids"))
    return select(Attempt.postback_id, Attempt.status, Attempt.ms).where(
        Attempt.id.in_(last.group_by(Attempt.postback_id))
    )


@lru_cache(maxsize=128)
def _measured(names: frozenset[str], is_trouble: bool, most: int) -> Select[Any]:
    window, rest = _window(names, is_trouble, most)
    last = _last(Attempt.id, window)
    measured: Select[Any] = select(window.c.id, Attempt.status, Attempt.ms)
    measured = measured.select_from(window.join(table_of(Attempt), Attempt.id == last))
    return measured.where(*among_newest.has_values(Postback, window, rest))


@lru_cache(maxsize=128)
def _of_class(names: frozenset[str], is_trouble: bool, is_behind: bool, most: int) -> Select[Any]:
    window, rest = _window(names, is_trouble, most)
    code = func.coalesce(_last(Attempt.status, window), 0)
    is_of_class = code // 100 == bindparam("class", type_=Integer)
    conditions = [*among_newest.has_values(Postback, window, rest), is_of_class]
    return among_newest.page_of(window, conditions, is_behind=is_behind)
