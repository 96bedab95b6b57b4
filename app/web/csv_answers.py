"""Lists as a CSV file, streamed: the one kind of answer that is not JSON."""

import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from flask import Response, g, stream_with_context

from app.schemas.base import Output
from app.schemas.csv_export import lines
from app.services.accounts.concurrent_calls import EXPORTS


def csv_answer(name: str, schema: Output, parts: Iterable[Sequence[Any]]) -> Response:
    """Return `parts` of rows as a file `name`. Raises TooManyRequests, as `text_answer`."""
    return text_answer(name, lines(schema, parts))


def text_answer(name: str, text: Iterator[str]) -> Response:
    """Return CSV as a file `name`, while the account has a place for an export.

    Raises TooManyRequests. The place is free again when the answer is read or given up.
    """
    end = EXPORTS.begin(g.account.id)
    body: Iterator[str] = stream_with_context(text)
    weakref.finalize(body, end)  # a server that fails may forget to close the response
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    response = Response(body, mimetype="text/csv", headers=headers)
    response.call_on_close(end)
    return response
