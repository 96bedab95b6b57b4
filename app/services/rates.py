"""How often a caller may call: counted in Redis, or here while that is away."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from app.errors import TooManyRequests
from app.extensions import doorbell
from app.queues import FAULTS

#: After a fault Redis is left alone for this long: a caller waits for it once.
AWAY_SECONDS = 5.0


@dataclass(slots=True)
class Rate:
    """At most `most` calls within each window of `seconds`, for each caller.

    Windows are those of the wall clock, so all processes share them.
    """

    name: str
    most: int
    seconds: int
    clock: Callable[[], float] = time.time
    _away_until: float = 0.0
    _window: int = 0
    _local: Counter[str] = field(default_factory=Counter)

    def take(self, caller: str) -> None:
        """Count one call. Raises TooManyRequests with the seconds to wait."""
        now = self.clock()
        window = int(now // self.seconds)
        count = None if now < self._away_until else self._shared(caller, window, now)
        if count is None:
            count = self._counted_here(caller, window)
        if count > self.most:
            raise TooManyRequests(max(1, int((window + 1) * self.seconds - now + 0.999)))

    def _shared(self, caller: str, window: int, now: float) -> int | None:
        key = f"gatepost:rate:{self.name}:{window}:{caller}"
        try:
            pipe = doorbell.redis.pipeline(transaction=True)
            pipe.incr(key)
            pipe.expire(key, self.seconds + 1)
            return int(pipe.execute()[0])
        except FAULTS:
            self._away_until = now + AWAY_SECONDS
            return None

    def _counted_here(self, caller: str, window: int) -> int:
        if window != self._window:
            self._window, self._local = window, Counter()
        self._local[caller] += 1
        return self._local[caller]
