"""Rows as CSV, a part at a time (RFC 4180: CRLF, quotes where needed)."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.errors import NotFound
from app.schemas.base import Output
from app.schemas.fields import UtcText

BROKE_OFF: Final = "INCOMPLETE: the export broke off; ask again"
#: The last line of a file that ends early.
TOO_LONG: Final = "INCOMPLETE: the list is too long for one file; choose a shorter period\r\n"
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
    """Yield a header with the public names, then `parts` of rows as `schema` shows them."""
    yield head(schema)
    yield from unless_broken_off(body(schema, rows) for rows in parts)


def unless_broken_off(text: Iterable[str]) -> Iterator[str]:
    """Yield `text`, and the line `BROKE_OFF` if its end cannot be read.

    The answer has begun and can no longer be an error.
    """
    try:
        yield from text
    except (SQLAlchemyError, NotFound):
        log.exception("export.broke_off")
        yield _text([[BROKE_OFF]])


def head(schema: Output) -> str:
    """Return the line of the public names."""
    return _text([list(schema.dump_fields)])


def body(schema: Output, rows: Sequence[Any]) -> str:
    """Return the lines of `rows`."""
    shown: list[dict[str, Any]] = schema.dump(rows)
    return _text([_tame(row[name]) for name in schema.dump_fields] for row in shown)


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
