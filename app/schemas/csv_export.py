"""Rows as CSV, a part at a time (RFC 4180: CRLF, quotes where needed)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.schemas.base import Output
from app.schemas.fields import UtcText

BROKE_OFF: Final = "INCOMPLETE: the export broke off; ask again"
#: What no spreadsheet runs, although it may begin with a sign.
_HARMLESS: Final = re.compile(r"[A-Za-z0-9_-]*")
#: Where a formula begins in text that people have typed: also after a character at which
#: spreadsheets of some languages split a line (they ignore quotes inside a cell), and with
#: the full-width signs that they read as the ASCII ones.
_FORMULA: Final = re.compile(
    r"""(\A|[;|\t\r\n])(?=[ "]*[=+\-@\uff1d\uff0b\uff0d\uff20])|\A(?=[\t\r\n])"""
)
log = structlog.get_logger()


def lines(schema: Output, parts: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield a header with the public names, then `parts` of rows as `schema` shows them.

    By then the answer has begun and can no longer be an error, so an export that the database
    breaks off ends with the line `BROKE_OFF`.
    """
    names = list(schema.dump_fields)
    yield _text([names])
    try:
        for rows in parts:
            shown: list[dict[str, Any]] = schema.dump(rows)
            yield _text([_tame(row[name]) for name in names] for row in shown)
    except SQLAlchemyError:
        log.exception("export.broke_off")
        yield _text([[BROKE_OFF]])


def in_zone(schema: Output, zone: tzinfo) -> Output:
    """Return `schema`, which shows times in `zone` from now on, each with its offset."""
    for field in schema.dump_fields.values():
        if isinstance(field, UtcText):
            field.zone = zone
    return schema


def as_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV whole, for tables that are short."""
    return _text([_tame(value) for value in row] for row in rows)


def _tame(value: Any) -> Any:
    """Put an apostrophe before each formula, so that a spreadsheet takes it for text."""
    if not isinstance(value, str) or _HARMLESS.fullmatch(value):
        return value
    return _FORMULA.sub(lambda match: f"{match[1] or ''}'", value)


def _text(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
