"""Records what was reported: one row however often it comes, and its postbacks with it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, select, update

from app.database.rows import insert_rows
from app.domain.conversions import report as reports
from app.domain.conversions.report import Report
from app.extensions import db, wakeup
from app.models import Conversion, table_of
from app.queues import Queue
from app.services.conversions import idempotency, people, staging
from app.services.conversions.idempotency import Answered
from app.services.conversions.people import Sender
from plugins.contract import ConversionKind

_CONVERSIONS: Final = table_of(Conversion)
_COLUMNS: Final = (
    "account_id key_id campaign_id click kind name value_micro currency tid note time created"
    " revision reported subscriber"
).split()


class Recorded(NamedTuple):
    """A stored conversion. Without `lead_id` it is cold; it may have been there before."""

    id: int
    is_new: bool
    lead_id: int | None


def record(sender: Sender, report: Report, now: float) -> Recorded:
    """Store a conversion and report it, as `store` does. Commits."""
    recorded, staged = store(sender, report, now)
    _commit(staged)
    return recorded


def once(
    account_id: int,
    key: str,
    request: Mapping[str, Any],
    now: float,
    act: Callable[[], tuple[Mapping[str, Any], int]],
) -> Answered:
    """Answer a call as `idempotency.once` does, but commit.

    `act` returns the answer, and how many postbacks it has staged.
    """
    staged = 0

    def answer() -> Mapping[str, Any]:
        nonlocal staged
        result, staged = act()
        return result

    answered = idempotency.once(account_id, key, request, now, answer)
    _commit(staged)
    return answered


def _commit(staged: int) -> None:
    """Commit, and wake delivery up if anything was staged."""
    db.session.commit()
    if staged:
        wakeup.remind(Queue.POSTBACKS)


def store(sender: Sender, report: Report, now: float) -> tuple[Recorded, int]:
    """Store a conversion that came at `now`, Unix seconds, and report it to trackers. No commit.

    One that is there already stays as it is; only a value that was unknown is filled in.
    Returns it, and how many postbacks were staged. Raises NotFound where it names a lead or
    a person that this account does not have.
    """
    connection = db.session.connection()
    lead_id = people.find(sender, report)
    rows = insert_rows(
        connection,
        _CONVERSIONS,
        _COLUMNS,
        [_values(sender, report, now, is_cold=lead_id is None)],
        returning=["id"],
        ignore_conflicts=True,
    )
    if rows:
        recorded = Recorded(rows[0].id, True, lead_id)
        staged = staging.attach(connection, rows[0].id, lead_id, now) if lead_id else 0
    else:
        row = _existing(connection, sender, report)
        recorded, staged = Recorded(row.id, False, row.lead_id), 0
        if row.value_micro is None and report.value_micro is not None:
            staged = change_value(connection, row, report.value_micro, report.currency, now)
    return recorded, staged


def locked(account_id: int, conversion_id: int) -> Row[Any] | None:
    """Return a conversion of the account, locked; None if it has none of this id."""
    mine = (_CONVERSIONS.c.id == conversion_id, _CONVERSIONS.c.account_id == account_id)
    rows = db.session.connection().execute(select(_CONVERSIONS).where(*mine).with_for_update())
    return rows.first()


def set_value(row: Row[Any], value: str, currency: str, now: float) -> tuple[int | None, str, int]:
    """Give a locked conversion the value that a call names, as `change_value` does. No commit.

    Returns it in millionths, its currency, and how many postbacks were staged. Raises
    InvalidReport.
    """
    micro = reports.read_other_value(value, ConversionKind(row.kind))
    currency = reports.read_currency(currency, row.currency, micro)
    if micro is None:
        return micro, currency, 0
    return micro, currency, change_value(db.session.connection(), row, micro, currency, now)


def change_value(
    connection: Connection, row: Row[Any], value_micro: int, currency: str, now: float
) -> int:
    """Set another value of a locked conversion and report it anew. No commit.

    Returns how many postbacks were staged; none if nothing changes.
    """
    if (row.value_micro, row.currency) == (value_micro, currency):
        return 0
    if row.lead_id is not None:
        staging.count(connection, row, -1, -(row.value_micro or 0))
    was_reported = row.value_micro is not None and row.reported > 0
    connection.execute(
        update(_CONVERSIONS)
        .where(_CONVERSIONS.c.id == row.id)
        .values(
            value_micro=value_micro,
            currency=currency,
            revision=_CONVERSIONS.c.revision + int(was_reported),
        )
    )
    if row.lead_id is None:
        return 0
    changed = connection.execute(select(_CONVERSIONS).where(_CONVERSIONS.c.id == row.id)).one()
    staging.count(connection, changed, 1, value_micro)
    return staging.report_again(connection, row.id, now)


def _existing(connection: Connection, sender: Sender, report: Report) -> Row[Any]:
    """The conversion that was there first, locked."""
    return connection.execute(
        select(_CONVERSIONS)
        .where(
            _CONVERSIONS.c.account_id == sender.account_id,
            _CONVERSIONS.c.key_id == sender.key_id,
            _CONVERSIONS.c.kind == report.kind.value,
            _CONVERSIONS.c.tid == report.own_tid,
        )
        .with_for_update()
    ).one()


def _values(sender: Sender, report: Report, now: float, *, is_cold: bool) -> list[Any]:
    return [
        sender.account_id,
        sender.key_id,
        sender.campaign_id,
        report.click,
        report.kind.value,
        report.name,
        report.value_micro,
        report.currency,
        report.own_tid,
        report.note,
        # Nothing has happened later than now; a sender's clock may be fast.
        min(report.time, int(now)) if report.time is not None else int(now),
        now,
        0,
        0,
        report.subscriber if is_cold and report.may_wait else None,
    ]
