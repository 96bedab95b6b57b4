"""Group commit: callers that arrive together share one transaction.

The first caller is the leader: it commits its own item and all that are queued
behind it, then makes the first of those that came meanwhile the new leader.
Nobody waits for others to come, so a lone caller loses no time, and under load
one statement and one flush to disk serve a dozen callers.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from app.database.faults import DATABASE_FAULTS
from app.web.shares.interpreter_queue import turn_given_back

Item = TypeVar("Item")


class NotCommitted(Exception):
    """The caller that led the commit was interrupted, and raises what interrupted it."""


class _Waiter(Generic[Item]):
    """One caller's item, and the result of its commit."""

    __slots__ = ("done", "fault", "gate", "item")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self.fault: Exception | None = None
        self.gate = threading.Lock()
        self.gate.acquire()


class GroupCommit(Generic[Item]):
    """Groups items for `commit`, which writes a batch and returns when it is durable.

    It raises what a database raises.
    """

    def __init__(self, commit: Callable[[Sequence[Item]], None]) -> None:
        self._commit = commit
        self._mutex = threading.Lock()
        self._queue: list[_Waiter[Item]] = []
        self._has_leader = False

    def put(self, item: Item) -> None:
        """Return once `item` is durable. Raises what its commit raised, or NotCommitted."""
        waiter = _Waiter(item)
        with self._mutex:
            self._queue.append(waiter)
            leads, self._has_leader = not self._has_leader, True
        if not leads:
            with turn_given_back():  # the leader may be in its line
                waiter.gate.acquire()  # opens when the item is done, or when this caller must lead
        if not waiter.done:
            self._lead()
        if waiter.fault is not None:
            raise waiter.fault

    def _lead(self) -> None:
        with self._mutex:
            batch, self._queue = self._queue, []
        try:
            self._write(batch)
        finally:
            with self._mutex:
                following = self._queue[0] if self._queue else None
                self._has_leader = following is not None
            for waiter in batch:
                waiter.done = True
                waiter.gate.release()
            if following is not None:
                following.gate.release()

    def _write(self, batch: Sequence[_Waiter[Item]]) -> None:
        fault: Exception | None = NotCommitted("the commit was interrupted")
        try:
            self._commit([waiter.item for waiter in batch])
            fault = None
        except DATABASE_FAULTS as error:
            fault = error
        finally:
            for waiter in batch:
                waiter.fault = fault
