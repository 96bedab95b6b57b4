"""Which bot a webhook path belongs to, remembered for a few seconds in each process.

Without that each update would cost a query before it is stored. A bot that was deleted, or
whose path was changed, is answered by the old path for as long as it is remembered.
"""

import time
from collections.abc import Callable
from typing import Final

SECONDS: Final = 5.0
MAX_PATHS: Final = 10_000


class WebhookPaths:
    """Remembers for `SECONDS` what `find` returned; an unknown path is asked for each time.

    At `max_paths` everything is forgotten: the next update of each bot costs one query.
    """

    def __init__(
        self,
        find: Callable[[str], int | None],
        *,
        clock: Callable[[], float] = time.monotonic,
        max_paths: int = MAX_PATHS,
    ) -> None:
        self._find = find
        self._clock = clock
        self._max_paths = max_paths
        self._bots: dict[str, tuple[int, float]] = {}

    def bot_id(self, path: str) -> int | None:
        """Return the id of the bot behind `path`, or None."""
        now = self._clock()
        bot_id, until = self._bots.get(path, (None, 0.0))
        if bot_id is not None and now < until:
            return bot_id
        bot_id = self._find(path)
        if bot_id is not None:
            if len(self._bots) >= self._max_paths:
                self._bots.clear()
            self._bots[path] = (bot_id, now + SECONDS)
        return bot_id
