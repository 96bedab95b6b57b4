"""The names under which common senders report a conversion. Pure.

Chatterfy sends `tracker.event`, `tracker.cost`, `tracker.currency`, `tracker.tid` and
`clickid`; Keitaro `subid`, `status`, `payout` and `tid`; XTRACKER `eid` as its own id.
"""

import re
from collections.abc import Mapping
from typing import Final

from app.domain.clicks.click_ids import is_unreplaced
from app.domain.conversions import report
from app.domain.conversions.report import InvalidReport, Report
from app.domain.storable_text import sanitize
from plugins.contract import translatable

#: By field, the names that are read, in this order; the first one with a value counts.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "event": ("event", "tracker.event", "event_type", "status", "type"),
    "name": ("name",),
    "value": ("value", "tracker.cost", "payout", "amount", "sum", "revenue"),
    "currency": ("currency", "tracker.currency"),
    "tid": ("tid", "tracker.tid", "eid", "txid", "transaction_id", "order_id"),
    "time": ("time", "timestamp"),
    "note": ("note",),
    "click": ("click", "clickid", "click_id", "subid", "cid"),
    "lead": ("lead",),
    "subscriber": ("subscriber", "telegram_id", "tg_id"),
}
_LONGEST: Final = {"tid": 128, "click": 256}
_ID: Final = re.compile(r"[0-9]{1,18}")


def read(params: Mapping[str, str], usual_currency: str = "") -> Report:
    """The report in `params`. A macro that nobody replaced counts as nothing.

    `usual_currency` is that of values without one. Raises InvalidReport.
    """
    texts = {field: _first(params, names) for field, names in NAMES.items()}
    for field, longest in _LONGEST.items():
        if len(texts[field]) > longest:
            raise InvalidReport(
                field, translatable("is longer than %(most)d characters", most=longest)
            )
    kind, name = report.read_kind(texts["event"], texts["name"])
    kind, value = report.read_value(texts["value"], kind)
    result = Report(
        kind=kind,
        name=name,
        value_micro=value,
        currency=report.read_currency(texts["currency"], usual_currency, value),
        time=report.read_time(texts["time"]),
        note=texts["note"][: report.LONGEST_NOTE],
        click=texts["click"],
        lead=_number("lead", texts["lead"]),
        subscriber=_number("subscriber", texts["subscriber"]),
        tid=texts["tid"],
    )
    report.require_person(result)
    return result


def _first(params: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        text = sanitize(params.get(name, ""), 1024)
        if text and not is_unreplaced(text):
            return text
    return ""


def _number(field: str, text: str) -> int | None:
    if not text:
        return None
    if not _ID.fullmatch(text):
        raise InvalidReport(field, translatable("must be a whole number"))
    return int(text)
