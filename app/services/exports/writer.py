"""Writes the files that were asked for: a part at a time, in whatever process.

What is written is in the row, in one transaction with the part, so after a kill the next round
goes on behind it. Of two that write the same part at once one finds that its place is taken.
"""

import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import case, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from app.errors import ApiError
from app.extensions import db
from app.models import Account, AccountStatus, Export, ExportKind, ExportPart, ExportState
from app.services.lists import parts
from app.services.lists.parts import SortKey

log = structlog.get_logger()

#: Of one round; then others have the process.
ROUND_SECONDS: Final = 0.3
#: Where a file ends: bytes as they are stored, and rows.
MOST_BYTES: Final = 50_000_000
MOST_ROWS: Final = 1_000_000
#: How often a part may fail before its file is given up.
MOST_FAILURES: Final = 20

#: Set when there may be something to write, from any thread of the process that writes.
has_work: Final = threading.Event()


@dataclass(frozen=True, slots=True)
class ExportedList:
    """How a list becomes text.

    `read(account_id, after=…, **filters)` yields its rows by the thousand, `place_of` says where
    a row stands, `text(rows, zone, with_head)` is CSV, and `too_long` is the last line of a file
    that ends early.
    """

    read: Callable[..., Iterator[Sequence[Any]]]
    place_of: Callable[[Any], SortKey]
    text: Callable[[Sequence[Any], str, bool], str]
    too_long: str


Lists = Mapping[ExportKind, ExportedList]


@dataclass(frozen=True, slots=True)
class _Part:
    """What comes next in a file: its text, how many rows, and where the last of them stands."""

    text: str
    count: int
    place: str
    is_last: bool
    is_cut: bool = False


def work(lists: Lists, clock: Callable[[], float] = time.monotonic) -> None:
    """Do a round if there may be something to write; else ask the database nothing. Commits.

    `clock` returns seconds that only grow.
    """
    if not has_work.is_set():
        return
    has_work.clear()
    end = clock() + ROUND_SECONDS
    while write_part(lists):
        if clock() >= end:
            has_work.set()
            return


def write_part(lists: Lists) -> bool:
    """Write the next part of any file, in short transactions. False if none waits. Commits."""
    row = db.session.scalar(_next())
    if row is None:
        db.session.rollback()
        return False
    db.session.expunge(row)
    db.session.rollback()
    try:
        _store(row, _read(row, lists[ExportKind(row.kind)]))
    except ApiError as error:  # what the filters name is not the account's any more
        db.session.rollback()
        _end(row.id, error.code)
    except (SQLAlchemyError, ValueError, LookupError):  # or a row is not what it should be
        db.session.rollback()
        log.warning("export.part_not_written", export=row.id, exc_info=True)
        _count_failure(row.id)
    return True


def _next() -> Any:
    """Whose turn comes first is left to chance: the longest must not go before all others."""
    # The state stands in the text as in the partial index, or SQLite does not use it.
    return (
        select(Export)
        .join(Account, Account.id == Export.account_id)
        .where(text(f"state = {ExportState.WRITING:d}"), Account.status == AccountStatus.ACTIVE)
        .order_by(func.random())
        .limit(1)
    )


def _read(row: Export, exported: ExportedList) -> _Part:
    after = tuple(orjson.loads(row.place)) if row.place else None
    filters = orjson.loads(row.filters)
    rows = next(exported.read(row.account_id, after=after, **filters), ())
    if rows and (row.rows >= MOST_ROWS or row.size >= MOST_BYTES):
        return _Part(exported.too_long, 0, row.place, is_last=True, is_cut=True)
    is_first = not row.parts
    part = exported.text(rows, row.zone, is_first) if rows or is_first else ""
    place = orjson.dumps(exported.place_of(rows[-1])).decode() if rows else row.place
    return _Part(part, len(rows), place, is_last=len(rows) < parts.PART)


def _store(row: Export, part: _Part) -> None:
    data = zlib.compress(part.text.encode()) if part.text else b""
    values: dict[str, Any] = {"place": part.place, "rows": row.rows + part.count}
    if data:
        values |= {"parts": row.parts + 1, "size": row.size + len(data)}
    if part.is_last:
        values |= {"state": ExportState.READY, "is_cut": part.is_cut, "ended": time.time()}
    still = (
        Export.id == row.id,
        Export.parts == row.parts,
        Export.state == ExportState.WRITING,
    )
    if _update(*still, **values) and data:
        new = {"export_id": row.id, "number": row.parts, "data": data}
        db.session.execute(insert(ExportPart).values(new))
    db.session.commit()
    if part.is_last:
        log.info("export.ready", export=row.id, rows=values["rows"])


def _end(export_id: int, reason: str) -> None:
    """Give a file up."""
    failed = {"state": ExportState.FAILED, "ended": time.time()}
    _update(Export.id == export_id, Export.state == ExportState.WRITING, **failed)
    db.session.commit()
    log.info("export.failed", export=export_id, reason=reason)


def _count_failure(export_id: int) -> None:
    more = Export.failures + 1
    state = case((more >= MOST_FAILURES, ExportState.FAILED), else_=ExportState.WRITING)
    writing = Export.state == ExportState.WRITING
    _update(Export.id == export_id, writing, failures=more, state=state)
    db.session.commit()


def _update(*where: Any, **values: Any) -> int:
    statement = update(Export).where(*where).values(**values)
    result: Any = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)
