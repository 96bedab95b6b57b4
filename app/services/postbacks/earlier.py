"""What trackers answered to an earlier report of a conversion, for the report that follows it."""

import json
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, select

from app.domain import events
from app.models import Postback, PostbackState, table_of

_POSTBACKS: Final = table_of(Postback)


def left_by_report(
    connection: Connection, lead_id: int, sequence: int
) -> dict[int, Mapping[str, str | int]]:
    """Return by destination what one report of a lead ended with, where that is anything.

    A report that left nothing, or was not delivered, knew what the one before it had left.
    """
    rows = connection.execute(
        select(
            *(_POSTBACKS.c[name] for name in ("destination_id", "state", "adapter_state", "event"))
        ).where(_POSTBACKS.c.lead_id == lead_id, _POSTBACKS.c.sequence == sequence)
    )
    left = {}
    for row in rows:
        is_told = row.state == PostbackState.DELIVERED and row.adapter_state
        state = json.loads(row.adapter_state) if is_told else events.earlier_of(row.event)
        if state:
            left[row.destination_id] = state
    return left
