"""Writes clicks, with the links they get, and counts them, many visitors in one transaction.

Nobody's click depends on a neighbour's that the database refuses, or waits for a transfer that
holds its source.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.database.faults import is_data_fault, is_lock_timeout
from app.extensions import db
from app.services.clicks.grouped import postgresql, sqlite
from app.services.clicks.grouped.visit import Counts, Stored, Visit, counts_of, rounds
from app.services.updates.group_commit import GroupCommit

log = structlog.get_logger()

#: For how long a visitor may wait for counters that somebody else changes, and for how long
#: while counts wait already.
LOCK_MILLISECONDS: Final = 500
LATE_LOCK_MILLISECONDS: Final = 50
#: For how long what is not a counter is waited for: a table that is being changed.
TABLE_MILLISECONDS: Final = 3_000
#: Counts that could not be added yet are kept for so many sources and days.
_MOST_LATE: Final = 10_000


@dataclass(slots=True)
class _Pending:
    """A visit on its way, what became of it, and what the database refused about it."""

    visit: Visit
    result: Stored = field(default_factory=Stored)
    fault: SQLAlchemyError | None = None


def record(visit: Visit) -> Stored:
    """Store a visit. It is committed when this returns; its count may follow a moment later."""
    entry = _Pending(visit)
    _visits.put(entry)
    if entry.fault is not None:
        raise entry.fault
    return entry.result


#: Counts whose rows somebody held, to be added with the next visits. Only the one caller that
#: writes touches them.
_late: Final[Counts] = Counter()


def _write(entries: Sequence[_Pending]) -> None:
    """Store what can be stored, all of it at once if nothing is refused."""
    for part in rounds([(n, entry.visit) for n, entry in enumerate(entries)]):
        _write_together([entries[n] for n, _ in part])


def _write_together(entries: Sequence[_Pending]) -> None:
    try:
        results = _store([entry.visit for entry in entries])
    except SQLAlchemyError as error:
        if not is_data_fault(error):
            raise
        if len(entries) == 1:
            entries[0].fault = error
            return
        for entry in entries:
            _write_together([entry])
        return
    for entry, result in zip(entries, results, strict=True):
        entry.result = result


def _store(visits: Sequence[Visit]) -> list[Stored]:
    if db.engine.dialect.name != "postgresql":
        with db.engine.begin() as connection:
            return sqlite.store(connection, visits, Counter())
    patience = LATE_LOCK_MILLISECONDS if _late else LOCK_MILLISECONDS
    with db.engine.connect() as pooled:
        connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
        try:
            results = postgresql.store(connection, visits, _late, patience, counting=True)
        except OperationalError as error:
            if not is_lock_timeout(error):
                raise
            results = postgresql.store(
                connection, visits, Counter(), TABLE_MILLISECONDS, counting=False
            )
            log.warning("clicks.counted_later", count=len(visits))
            if len(_late) < _MOST_LATE:
                _late.update(counts_of(_stored(visits, results)))
            return results
    _late.clear()
    return results


def _stored(visits: Sequence[Visit], results: Sequence[Stored]) -> list[Visit]:
    """Return the visits that were stored: no repeats, and with the link that they asked for."""
    return [
        visit
        for visit, result in zip(visits, results, strict=True)
        if not result.is_repeat and (visit.order is None or result.link is not None)
    ]


_visits: Final = GroupCommit(_write)
