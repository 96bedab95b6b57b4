"""Ids of traces and spans, derived from what they tell of.

A trace crosses processes and a database. No row carries its id: each process derives it by a
keyed hash from the bot and the update, so that all come to the same id, and to the same ids of
the spans that are parents of theirs.
"""

import json
from typing import Final, NamedTuple

import orjson

from app.crypto import cipher
from app.domain.events import update_of

_SPAN_BITS: Final = (1 << 64) - 1


class StoredReport(NamedTuple):
    """What a stored event says of itself: its trace, the span that staged it, and what it is."""

    trace: int
    parent: int  # of the span that staged it; 0 if no update did
    span: int
    lead: int
    kind: str
    sequence: int


def of_update(bot_id: int, update_id: int) -> int:
    """Return the id of the trace of one update, 128 bits."""
    return cipher.trace_number(f"update {bot_id} {update_id}")


def of_span(trace: int, *names: str | int) -> int:
    """Return the id of the span of a trace that `names` tell apart, 64 bits."""
    return cipher.trace_number(f"span {trace} {json.dumps(names)}") & _SPAN_BITS or 1


def read_report(event: str, destination_id: int) -> StoredReport | None:
    """Read a stored event for one destination; None if it cannot be read.

    What no update brought, such as a conversion, or what was stored without tracing, has a trace
    of its own.
    """
    try:
        fields = orjson.loads(event)
        name, lead, kind, sequence = (fields[key] for key in ("id", "lead", "kind", "sequence"))
    except (ValueError, KeyError, TypeError):
        return None
    parent = 0
    if (update := update_of(event)) is not None:
        trace = of_update(*update)
        parent = of_span(trace, "decide")
    else:
        trace = cipher.trace_number(f"report {name} {sequence}")
    span = of_span(trace, "stage", name, sequence, destination_id)
    return StoredReport(trace, parent, span, lead, kind, sequence)
