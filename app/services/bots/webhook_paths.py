"""Which bot a webhook path belongs to, remembered for a few seconds in each process.

Without that each update would cost a query before it is stored. A bot that was deleted, or
whose path was changed, is answered by the old path for as long as it is remembered. Where many
bots send now and then, each of their updates would cost a query all the same: after a few of
them the paths of other bots are read along.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

SECONDS: Final = 5.0
MAX_PATHS: Final = 50_000  # about 15 MB
#: Looks within `SECONDS` that read one path each.
FEW: Final = 8
#: Seconds for which one waits for another who looks already, and then looks as well.
PATIENCE: Final = 1.0


class WebhookPaths:
    """Remembers for `SECONDS` what `find` returned; an unknown path is asked for each time.

    `find(path, beside)` returns the bot behind a path, by the path, if there is any; with
    `beside` others too. At `max_paths` everything is forgotten.
    """

    def __init__(
        self,
        find: Callable[[str, bool], Mapping[str, int]],
        *,
        clock: Callable[[], float] = time.monotonic,
        max_paths: int = MAX_PATHS,
    ) -> None:
        self._find = find
        self._clock = clock
        self._max_paths = max_paths
        self._bots: dict[str, tuple[int, float]] = {}
        self._looking = threading.Lock()
        self._looks, self._since = 0, 0.0

    def bot_id(self, path: str) -> int | None:
        """Return the id of the bot behind `path`, or None."""
        bot_id = self._remembered(path)
        if bot_id is None:
            is_first = self._looking.acquire(timeout=PATIENCE)  # who looks does it for all who wait
            try:
                bot_id = self._remembered(path)
                if bot_id is None:
                    bot_id = self._look_for(path)
            finally:
                if is_first:
                    self._looking.release()
        return bot_id

    def _remembered(self, path: str) -> int | None:
        bot_id, until = self._bots.get(path, (None, 0.0))
        return bot_id if self._clock() < until else None

    def _look_for(self, path: str) -> int | None:
        now = self._clock()
        if now - self._since >= SECONDS:
            self._looks, self._since = 0, now
        self._looks += 1
        until = now + SECONDS  # from before it is read: a bot may be deleted meanwhile
        bots = self._find(path, self._looks > FEW)
        if len(self._bots) + len(bots) > self._max_paths:
            self._bots.clear()
        self._bots |= {each: (bot_id, until) for each, bot_id in bots.items()}
        return bots.get(path)
