"""Group commit: callers that arrive together share one transaction.

The first caller leads: it commits its own item and all that queued up behind
it, then hands the lead to the first of those that came meanwhile. Nobody
waits for company, so a lone caller pays nothing, and under load one statement
and one flush to disk serve a dozen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class _Turn(Generic[Item]):
    """One caller's item, and what became of it."""

    __slots__ = ("done", "fault", "gate", "item")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self.fault: BaseException | None = None
        self.gate = threading.Lock()
        self.gate.acquire()


class GroupCommit(Generic[Item]):
    """`commit` writes a batch and returns when it is durable, or raises."""

    def __init__(self, commit: Callable[[Sequence[Item]], None]) -> None:
        self._commit = commit
        self._mutex = threading.Lock()
        self._queue: list[_Turn[Item]] = []
        self._has_leader = False

    def put(self, item: Item) -> None:
        """Return once `item` is durable. Raises what its commit raised."""
        turn = _Turn(item)
        with self._mutex:
            self._queue.append(turn)
            leads, self._has_leader = not self._has_leader, True
        if not leads:
            turn.gate.acquire()  # opens when done, or when we are to lead
        if not turn.done:
            self._lead()
        if turn.fault is not None:
            raise turn.fault

    def _lead(self) -> None:
        with self._mutex:
            batch, self._queue = self._queue, []
        try:
            self._write(batch)
        finally:
            with self._mutex:
                following = self._queue[0] if self._queue else None
                self._has_leader = following is not None
            for turn in batch:
                turn.done = True
                turn.gate.release()
            if following is not None:
                following.gate.release()

    def _write(self, batch: Sequence[_Turn[Item]]) -> None:
        try:
            self._commit([turn.item for turn in batch])
        except Exception as fault:  # noqa: BLE001 - every caller gets it raised
            for turn in batch:
                turn.fault = fault
        except BaseException as fault:
            for turn in batch:
                turn.fault = RuntimeError(f"the commit was interrupted: {fault!r}")
            raise
