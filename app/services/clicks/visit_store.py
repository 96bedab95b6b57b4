"""Writes clicks that are told of twice, by the page that was visited and by the link pressed there.

One visit to one source is one click, whichever report comes first: its token is derived from
the visit's mark, so both find the same row.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection, Row, Text, select, text, type_coerce, update
from sqlalchemy.exc import SQLAlchemyError

from app.crypto import cipher
from app.database.faults import is_data_fault, is_lock_timeout
from app.database.rows import insert_rows, is_postgresql, update_rows
from app.domain.clicks.link_query import QueryFlag
from app.domain.clicks.marks import base62
from app.domain.clicks.merging import OBJECTS, TEXTS, merge
from app.domain.clicks.payloads import TOKEN_LENGTH
from app.extensions import db
from app.models import Click, Site, table_of
from app.services.clicks import store
from app.services.clicks.grouped.owners import current_owners
from app.services.clicks.grouped.visit import Visit
from app.services.updates.group_commit import GroupCommit

_CLICKS: Final = table_of(Click)
_FIXED: Final = ("account_id", "source_id", "campaign_id", "token", "created")
_MERGED: Final = (*TEXTS, *OBJECTS, "pressed", "flags")
_BLANK: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("visitor", "external", "referrer", "landing", "country", "city"), ""),
    **dict.fromkeys(OBJECTS, "{}"),
    "flags": int(QueryFlag.NO_CONSENT),  # until a report says otherwise
}
#: Who presses again within so many seconds is counted as a repeat.
REPEAT_SECONDS: Final = 600.0
#: Whose click somebody else holds waits so long, and the others of the group with them.
_LOCK_TIMEOUT: Final = text(f"SET LOCAL lock_timeout = {store.LOCK_MILLISECONDS}")
#: A site's `last_seen` is written no more often than this.
SEEN_SECONDS: Final = 60


class Report(NamedTuple):
    """One report of a visit at `now`, Unix seconds. `click` has the values of a new row.

    Its `ids`, `utm`, `subs` and `ad` are mappings, and `ip` and `ua` are encrypted.
    """

    click: Mapping[str, Any]
    now: float


def token_of(mark: str, source_id: int) -> str:
    """Return the token of the click that the visit `mark` makes on a source."""
    return base62(cipher.visit_number(f"{source_id}:{mark}"), TOKEN_LENGTH)


@dataclass(slots=True)
class _Pending:
    """A report on its way; `counter` is what it counts as, and `fault` what was refused of it."""

    report: Report
    counter: str = ""
    fault: SQLAlchemyError | None = None


def record(report: Report) -> None:
    """Insert the click of a visit, or complete it. It is committed when this returns."""
    entry = _Pending(report)
    _reports.put(entry)
    if entry.fault is not None:
        raise entry.fault
    if entry.counter:
        store.record(Visit(report.click["source_id"], entry.counter, report.now))


def pressed_at(token: str) -> int | None:
    """Return when the link of this click was pressed last, or None. Ends the transaction."""
    pressed = db.session.scalar(select(Click.pressed).where(Click.token == token))
    db.session.rollback()
    return pressed


def _write(entries: Sequence[_Pending]) -> None:
    """Store what can be stored, all of it at once if nothing is refused or held by others."""
    try:
        _store(entries)
    except SQLAlchemyError as error:
        if not is_data_fault(error) and not is_lock_timeout(error):
            raise
        if len(entries) == 1:
            entries[0].fault = error
            return
        for entry in entries:
            _write([entry])


def _store(entries: Sequence[_Pending]) -> None:
    by_token: dict[str, list[_Pending]] = {}
    for entry in entries:
        by_token.setdefault(entry.report.click["token"], []).append(entry)
    with db.engine.begin() as connection:
        if is_postgresql(connection):
            connection.execute(_LOCK_TIMEOUT)
        _insert_blank(connection, by_token)
        rows = [_completed(row, by_token[row.token]) for row in _locked(connection, by_token)]
        update_rows(connection, _CLICKS, _MERGED, rows)
        _note_sites(connection, [entry.report for entry in entries])


def _insert_blank(connection: Connection, by_token: Mapping[str, Sequence[_Pending]]) -> None:
    """Insert the rows that are missing, in one order everywhere, or two processes lock each other.

    A source's owner is looked up again: a transfer may have come in between.
    """
    clicks = [by_token[token][0].report.click for token in sorted(by_token)]
    owners = current_owners(connection, {click["source_id"] for click in clicks})
    rows = [
        {**click, **_BLANK, "account_id": owners.get(click["source_id"], click["account_id"])}
        for click in clicks
    ]
    names = [*_FIXED, *_BLANK]
    values = [[row[name] for name in names] for row in rows]
    insert_rows(connection, _CLICKS, names, values, ignore_conflicts=True)


def _locked(connection: Connection, tokens: Iterable[str]) -> Sequence[Row[Any]]:
    columns = [
        type_coerce(_CLICKS.c[name], Text).label(name) if name in ("ip", "ua") else _CLICKS.c[name]
        for name in ("id", "token", *_MERGED)
    ]
    rows = select(*columns).where(_CLICKS.c.token.in_(list(tokens))).order_by(_CLICKS.c.token)
    return connection.execute(rows.with_for_update()).all()


def _completed(row: Row[Any], entries: Sequence[_Pending]) -> list[Any]:
    """Return the id and the values of `_MERGED` after all reports of one click; note counters."""
    state: dict[str, Any] = {name: getattr(row, name) for name in _MERGED}
    state |= {name: orjson.loads(state[name]) for name in OBJECTS}
    for entry in entries:
        entry.counter = _counter(state, entry.report)
        state |= merge(state, entry.report.click)
    texts = {name: orjson.dumps(state[name]).decode() for name in OBJECTS}
    return [row.id, *(texts.get(name, state[name]) for name in _MERGED)]


def _counter(state: Mapping[str, Any], report: Report) -> str:
    """As what a report counts; a visit counts once, however many of its pages report it."""
    if not report.click["pressed"]:
        return "" if state["landing"] else "visits"
    is_repeat = state["pressed"] and state["pressed"] > report.now - REPEAT_SECONDS
    return "repeats" if is_repeat else "clicks"


def _note_sites(connection: Connection, reports: Sequence[Report]) -> None:
    """Remember when a page of a site reported last; nobody waits for that."""
    seen = {report.click["site_id"]: int(report.now) for report in reports}
    for site_id, now in sorted((site, now) for site, now in seen.items() if site):
        stale = select(Site.id).where(Site.id == site_id, Site.last_seen < now - SEEN_SECONDS)
        free = stale.with_for_update(skip_locked=True)  # one that is being edited waits
        connection.execute(update(Site).where(Site.id.in_(free)).values(last_seen=now))


_reports: Final = GroupCommit(_write)
