"""The lists that can be prepared as files: who reads them, and how their rows look."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.models import ExportKind, JoinRequest, JournalEntry, Lead, Postback
from app.schemas import csv_export
from app.schemas.base import Output
from app.schemas.journal import LeadJournalOut
from app.schemas.leads import LeadOut
from app.schemas.postbacks import PostbackOut
from app.schemas.requests import RequestOut
from app.services.exports.writer import ExportedList
from app.services.join_requests import query as requests
from app.services.leads import journal
from app.services.leads import query as leads
from app.services.postbacks import log as deliveries


def _list(
    schema: type[Output], read: Callable[..., Iterator[Sequence[Any]]], time: Any
) -> ExportedList:
    """`time` is the column by which the list is sorted, before the id."""

    def text(rows: Sequence[Any], zone: str, with_head: bool) -> str:
        shown = csv_export.in_zone(schema(many=True), _zone(zone))
        head = csv_export.head(shown) if with_head else ""
        return head + csv_export.body(shown, rows)

    return ExportedList(
        read, lambda row: (getattr(row, time.key), row.id), text, csv_export.TOO_LONG
    )


def _zone(name: str) -> Any:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


LISTS: Final[Mapping[ExportKind, ExportedList]] = {
    ExportKind.LEADS: _list(LeadOut, leads.read_all, Lead.start_time),
    ExportKind.DELIVERIES: _list(PostbackOut, deliveries.read_all, Postback.created),
    ExportKind.JOURNAL: _list(LeadJournalOut, journal.read_all, JournalEntry.time),
    ExportKind.REQUESTS: _list(RequestOut, requests.read_all, JoinRequest.asked),
}

_LISTED: Final[Mapping[ExportKind, Callable[..., Any]]] = {
    ExportKind.LEADS: leads.listed,
    ExportKind.DELIVERIES: deliveries.listed,
    ExportKind.JOURNAL: journal.listed,
    ExportKind.REQUESTS: requests.listed,
}


def estimate(account_id: int, kind: ExportKind, filters: Mapping[str, Any]) -> int | None:
    """Return how many rows a list has now, or None if they are not counted to the end.

    `filters` are those of the list's service. Raises NotFound if one names what is not the
    account's.
    """
    total: int = _LISTED[kind](account_id, limit=1, **filters).total
    is_counted = kind is not ExportKind.REQUESTS or total < requests.COUNTED
    return total if is_counted else None
