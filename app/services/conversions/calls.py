"""What `events/add` and `events/value` do, each once for an idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select

from app.domain.conversions import report as reports
from app.domain.conversions.report import InvalidReport, Report
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import Conversion, table_of
from app.services.conversions import idempotency, record
from app.services.conversions.idempotency import Answered
from app.services.conversions.people import Origin
from plugins.contract import ConversionKind

_CONVERSIONS: Final = table_of(Conversion)


def add(account_id: int, params: Mapping[str, Any], now: float, *, key: str = "") -> Answered:
    """Record an event that the account's own server reports. Commits.

    Raises BadParameter, NotFound, or KeyReused for an idempotency key of another call.
    """
    try:
        report = _report(**params)
    except InvalidReport as error:
        raise BadParameter(error.field, error.message) from error
    staged = 0

    def act() -> dict[str, Any]:
        nonlocal staged
        recorded, staged = record.store(Origin(account_id), report, now)
        return {
            "id": recorded.id,
            "lead": recorded.lead_id or 0,
            "is_new": recorded.is_new,
            "lacks_tid": report.lacks_tid,
        }

    answered = idempotency.once(account_id, key, {"add": dict(params)}, now, act)
    db.session.commit()
    record.remind(staged)
    return answered


def set_value(
    account_id: int,
    conversion_id: int,
    *,
    value: str,
    now: float,
    currency: str = "",
    key: str = "",
) -> Answered:
    """Set or correct the value of an event and report it again. Commits.

    Without `currency` that of the earlier value stays. Raises as `add` does.
    """
    staged = 0

    def act() -> dict[str, Any]:
        nonlocal staged
        row = _locked(account_id, conversion_id)
        try:
            kind = ConversionKind(row.kind)
            _, micro = reports.read_value(value, kind)
            money = reports.read_currency(currency, row.currency, micro)
        except InvalidReport as error:
            raise BadParameter(error.field, error.message) from error
        if micro is not None:
            connection = db.session.connection()
            staged = record.change_value(connection, row, micro, money, now)
        return {"id": conversion_id}

    request = {"value": [conversion_id, value, currency]}
    answered = idempotency.once(account_id, key, request, now, act)
    db.session.commit()
    record.remind(staged)
    return answered


def _report(
    *,
    event: str,
    name: str = "",
    value: str = "",
    currency: str = "",
    time: int | None = None,
    **person: Any,
) -> Report:
    kind, name = reports.read_kind(event, name)
    kind, micro = reports.read_value(value, kind)
    report = Report(
        kind=kind,
        name=name,
        value_micro=micro,
        currency=reports.read_currency(currency, "", micro),
        time=reports.read_time("" if time is None else str(time)),
        **person,
    )
    reports.require_person(report)
    return report


def _locked(account_id: int, conversion_id: int) -> Any:
    row = (
        db.session.connection()
        .execute(
            select(_CONVERSIONS)
            .where(_CONVERSIONS.c.id == conversion_id, _CONVERSIONS.c.account_id == account_id)
            .with_for_update()
        )
        .first()
    )
    if row is None:
        raise NotFound
    return row
