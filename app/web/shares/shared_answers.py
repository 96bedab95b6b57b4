"""An answer that costs much and is the same for all who ask: made by one, taken by the others."""

import threading
import time
from collections.abc import Callable
from typing import Final

from app.web.request_slots import slot_released

#: An answer is kept for so many times the seconds that it took to make. So a process spends at
#: most a tenth of its time on it, however many ask, and one that costs next to nothing is new.
KEPT: Final = 9.0
#: Nor longer than this, in seconds: what is wrong may take long to find out.
LONGEST: Final = 10.0


class SharedAnswer:
    """The newest answer of `make`, of at most `LONGEST` seconds ago."""

    def __init__(
        self, make: Callable[[], bytes], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make, self._clock = make, clock
        self._making = threading.Lock()
        self._answer: bytes | None = None
        self._fresh_until = 0.0

    def get(self) -> bytes:
        """Return it; who comes while it is made gets the one before. Raises what `make` raises."""
        if not self._making.acquire(blocking=False):
            if (answer := self._answer) is not None:
                return answer
            with slot_released():
                self._making.acquire()
        try:
            if self._answer is None or self._clock() >= self._fresh_until:
                began = self._clock()
                self._answer = self._make()
                ended = self._clock()
                self._fresh_until = ended + min(KEPT * (ended - began), LONGEST)
            return self._answer
        finally:
            self._making.release()

    def forget(self) -> None:
        """Have the next one made anew."""
        self._answer = None
