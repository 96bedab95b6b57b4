"""Whose media is uploaded next: accounts take turns, however many uploads each has waiting.

A file holds memory and takes seconds to read and to send, so there is one at a time.
"""

import math
from typing import Final

#: So long after it was put off an account counts as waiting: its message is due again before.
PATIENCE_SECONDS: Final = 2.0


class UploadTurns:
    """The accounts whose uploads were put off, and when each has uploaded last.

    `now` is in seconds that only grow.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, float] = {}  # until when each counts
        self._last: dict[int, float] = {}

    def has_turn(self, account_id: int, now: float) -> bool:
        """Whether nobody waits who has not uploaded for longer than this account."""
        self._waiting = {other: until for other, until in self._waiting.items() if until > now}
        mine = self._last.get(account_id, -math.inf)
        return all(self._last.get(other, -math.inf) >= mine for other in self._waiting)

    def begin(self, account_id: int, now: float) -> None:
        """Note that an upload of the account begins."""
        self._waiting.pop(account_id, None)
        if not self._waiting:
            self._last.clear()  # whoever comes next has waited for nobody
        self._last[account_id] = now

    def postpone(self, account_id: int, now: float) -> None:
        """Note that an upload of the account has to wait."""
        self._waiting[account_id] = now + PATIENCE_SECONDS
