"""What `events/add` and `events/value` do, each once for an idempotency key."""

from collections.abc import Mapping
from typing import Any

from app.domain.conversions import report as reports
from app.domain.conversions.report import InvalidReport, Report
from app.errors import BadParameter, NotFound
from app.services.conversions import record
from app.services.conversions.idempotency import Answered
from app.services.conversions.people import Sender


def add(account_id: int, params: Mapping[str, Any], now: float, *, key: str = "") -> Answered:
    """Record an event that the account's own server reports. Commits.

    Raises BadParameter, NotFound, or KeyReused for an idempotency key of another call.
    """
    try:
        report = _report(**params)
    except InvalidReport as error:
        raise BadParameter(error.field, error.message) from error

    def act() -> tuple[dict[str, Any], int]:
        recorded, staged = record.store(Sender(account_id), report, now)
        answer = {
            "id": recorded.id,
            "lead": recorded.lead_id or 0,
            "is_new": recorded.is_new,
            "lacks_tid": report.lacks_tid,
        }
        return answer, staged

    return record.once(account_id, key, {"add": dict(params)}, now, act)


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

    def act() -> tuple[dict[str, Any], int]:
        row = record.locked(account_id, conversion_id)
        if row is None:
            raise NotFound
        try:
            _, _, staged = record.set_value(row, value, currency, now)
        except InvalidReport as error:
            raise BadParameter(error.field, error.message) from error
        return {"id": conversion_id}, staged

    request = {"value": [conversion_id, value, currency]}
    return record.once(account_id, key, request, now, act)


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
