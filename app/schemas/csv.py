"""Rows as CSV, a part at a time (RFC 4180: CRLF, quotes where needed)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.schemas.base import Output


def lines(schema: Output, parts: Iterable[Sequence[Any]]) -> Iterator[str]:
    """A head with the public names, then `parts` of rows as `schema` shows them."""
    names = list(schema.dump_fields)
    yield _text([names])
    for rows in parts:
        shown: list[dict[str, Any]] = schema.dump(rows)
        yield _text([row[name] for name in names] for row in shown)


def _text(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
