"""Whether another program takes the updates of a polled bot, judged by Telegram's 409s. Pure.

Two who poll one bot end each other's polls, and a webhook refuses all of them. One
409 means little: an old process may be ending. Times are monotonic seconds.
"""

from dataclasses import dataclass
from typing import Final

#: Conflicts for so long, with none of the pauses below, are for good.
CONFLICT_SECONDS: Final = 20.0
#: Without a conflict for so long it is over.
QUIET_SECONDS: Final = 60.0


@dataclass(slots=True)
class Contention:
    """What one poller has seen of conflicts about one bot, since `last`.

    `is_contested` is None until it is known: an earlier poller may have recorded a fault.
    """

    last: float
    began: float | None = None
    is_contested: bool | None = None
    conflict_seconds: float = CONFLICT_SECONDS
    quiet_seconds: float = QUIET_SECONDS

    def on_conflict(self, now: float) -> bool:
        """Note a 409. Returns whether the bot is contested from now on."""
        if self.began is None or now - self.last >= self.quiet_seconds:
            self.began = now
        self.last = now
        if self.is_contested or now - self.began < self.conflict_seconds:
            return False
        self.is_contested = True
        return True

    def on_success(self, now: float) -> bool:
        """Note a poll that was answered. Returns whether it is contested no more from now on."""
        if self.is_contested is False or now - self.last < self.quiet_seconds:
            return False
        self.is_contested, self.began = False, None
        return True
