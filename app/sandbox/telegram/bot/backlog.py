"""The backlog of a bot: updates that happened and are not delivered yet, in their queues."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Final

from app.sandbox.telegram.bot.update_kinds import queue_key

MAX_PENDING: Final = 200_000


@dataclass(frozen=True, slots=True)
class Queued:
    """An update that is not delivered yet. `pushed` is when it happened, in Unix seconds."""

    number: int
    update: dict[str, Any]
    key: str
    pushed: float

    @property
    def update_id(self) -> int:
        """The number that Telegram gave it."""
        return int(self.update["update_id"])


class Backlog:
    """Numbers updates and holds them until they are delivered. Callable from any thread."""

    def __init__(self, next_update_id: int) -> None:
        self.next_update_id = next_update_id
        self._pending: dict[int, Queued] = {}
        self._queues: dict[str, deque[Queued]] = {}
        self._numbers: Iterator[int] = count()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, queued: Queued) -> bool:
        return queued.number in self._pending

    def add(self, update: dict[str, Any], now: float) -> Queued:
        """Number an update, unless it has a number, and hold it.

        Raises OverflowError if MAX_PENDING updates are held.
        """
        with self._lock:
            if len(self._pending) >= MAX_PENDING:
                raise OverflowError(f"there are {MAX_PENDING} undelivered updates")
            update = {"update_id": self.next_update_id} | update
            self.next_update_id = int(update["update_id"]) + 1
            queued = Queued(next(self._numbers), update, queue_key(update), now)
            self._pending[queued.number] = queued
            self._queues.setdefault(queued.key, deque()).append(queued)
            return queued

    def head(self, key: str) -> Queued | None:
        """Return the oldest undelivered update of a queue, None if the queue is empty."""
        with self._lock:
            queue = self._queues.get(key)
            while queue and queue[0].number not in self._pending:
                queue.popleft()
            if not queue:
                self._queues.pop(key, None)
                return None
            return queue[0]

    def settle(self, queued: Queued) -> None:
        """Forget an update that is delivered or expired."""
        with self._lock:
            self._pending.pop(queued.number, None)

    def oldest(self, limit: int) -> list[Queued]:
        """Return the oldest undelivered updates of all queues, at most `limit`."""
        with self._lock:
            return list(islice(self._pending.values(), limit))

    def busy_queues(self) -> list[str]:
        """Return the keys of the queues that hold something."""
        with self._lock:
            return list(self._queues)

    def confirm(self, offset: int) -> None:
        """Forget what getUpdates confirms by `offset`; below zero, keep that many.

        Ids may restart lower after a quiet week, so everything up to the
        confirmed update goes, whatever its number.
        """
        with self._lock:
            queued = list(self._pending.values())
            ids = [update.update_id for update in queued]
            if offset < 0:
                gone = queued[:offset]
            else:
                last = max((at for at, id_ in enumerate(ids) if id_ == offset - 1), default=-1)
                gone = [queued[at] for at, id_ in enumerate(ids) if at <= last or id_ < offset]
            for update in gone:
                del self._pending[update.number]

    def drop_all(self) -> None:
        """Forget everything, as `drop_pending_updates` asks."""
        with self._lock:
            self._pending.clear()
            self._queues.clear()
