"""The row of an update that has just arrived: waiting, or quarantined if it is none."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from app.domain.telegram import updates
from app.models import UpdateState

_OVERSIZED_SAMPLE: Final = 2048  # bytes kept of a body that is too large to be an update


class NewUpdate(NamedTuple):
    """The columns of an update that has just arrived."""

    bot_id: int
    update_id: int | None
    body: bytes
    received: float
    state: int
    reason: str | None


def new_update(bot_id: int, body: bytes) -> NewUpdate:
    """Return the row of a body; quarantined, with the reason, if it is no update."""
    try:
        update_id = updates.decode(body)["update_id"]
    except updates.Malformed as error:
        return _quarantined(bot_id, body, str(error))
    return NewUpdate(bot_id, update_id, body, time.time(), int(UpdateState.WAITING), None)


def oversized_update(bot_id: int, beginning: bytes) -> NewUpdate:
    """Return the row of a body that is too large to be an update, of which `beginning` was read."""
    return _quarantined(bot_id, beginning[:_OVERSIZED_SAMPLE], "larger than an update can be")


def _quarantined(bot_id: int, body: bytes, reason: str) -> NewUpdate:
    return NewUpdate(bot_id, None, body, time.time(), int(UpdateState.QUARANTINED), reason)
