"""The row of an update that has just arrived, waiting or quarantined, and its insertion."""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from app.domain.telegram import updates
from app.models import UpdateState

#: Bytes that are read and kept of a body that is too large to be an update.
OVERSIZED_SAMPLE: Final = 2048


class NewUpdate(NamedTuple):
    """The columns of an update that has just arrived."""

    bot_id: int
    update_id: int | None
    body: bytes
    received: float
    state: int
    reason: str | None


_INSERT: Final = (
    f"INSERT INTO telegram_update ({', '.join(NewUpdate._fields)}) {{rows}}"
    " ON CONFLICT (bot_id, update_id) DO NOTHING"
)
# One statement for any number of rows, in one round trip, prepared once.
_POSTGRESQL: Final = _INSERT.format(
    rows="SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[], %b::float8[],"
    " %b::smallint[], %b::text[])"
)
_SQLITE: Final = _INSERT.format(rows="VALUES (?, ?, ?, ?, ?, ?)")


def insertion(rows: Sequence[NewUpdate], *, postgresql: bool) -> tuple[str, Any]:
    """Return the driver's statement that stores `rows`, once for each bot and update id.

    Its parameters are for `execute` on PostgreSQL, and for `executemany` on SQLite.
    """
    if postgresql:
        return _POSTGRESQL, tuple(list(column) for column in zip(*rows, strict=True))
    return _SQLITE, list(rows)


def new_update(bot_id: int, body: bytes) -> NewUpdate:
    """Return the row of a body; quarantined, with the reason, if it is no update."""
    try:
        update_id = updates.decode(body)["update_id"]
    except updates.Malformed as error:
        return _quarantined(bot_id, body, str(error))
    return NewUpdate(bot_id, update_id, body, time.time(), int(UpdateState.WAITING), None)


def oversized_update(bot_id: int, beginning: bytes) -> NewUpdate:
    """Return the row of a body that is too large to be an update, of which `beginning` was read."""
    return _quarantined(bot_id, beginning[:OVERSIZED_SAMPLE], "larger than an update can be")


def _quarantined(bot_id: int, body: bytes, reason: str) -> NewUpdate:
    return NewUpdate(bot_id, None, body, time.time(), int(UpdateState.QUARANTINED), reason)
