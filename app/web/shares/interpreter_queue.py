"""Requests of a web process take turns at the interpreter, and give theirs back while they wait.

Python runs one thread at a time, and a thread that wants to run waits behind all that want to.
One of Telegram's updates needs the interpreter some six times, so a dozen requests that work at
once keep it a dozen times as long as one does. With turns one of them wants the interpreter and
the others stand in line for their turn, outside of it; they lose nothing by it, since only one
could have run. Updates stand in no line.

A turn is no lock. Whoever has it may come to wait for somebody in the line, so one that was not
given back for `HELD` seconds is taken by the first in the line.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final

import psycopg
from sqlalchemy import Dialect, Engine, event

#: Requests seldom work so long between two statements.
HELD: Final = 0.01


class _Waiter:
    """A thread's place in the line; `gate` opens when its turn comes."""

    __slots__ = ("gate",)

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()


class InterpreterQueue:
    """One thread has the turn; the others stand in line in the order in which they came."""

    def __init__(self, held: float = HELD, clock: Callable[[], float] = time.monotonic) -> None:
        self._held, self._clock = held, clock
        self._lock = threading.Lock()
        self._line: deque[_Waiter] = deque()
        self._holder: _Waiter | None = None
        self._since = 0.0
        self._mine = threading.local()

    def acquire(self) -> None:
        """Return when it is this thread's turn, or it has been kept for too long."""
        place = self._mine.place = _Waiter()
        with self._lock:
            if self._holder is None:
                self._begin(place)
                return
            self._line.append(place)
        while not place.gate.acquire(timeout=self._held):
            with self._lock:
                if place is self._holder:
                    return
                # Not in line: it was given the turn, and others took it before this thread ran.
                is_first = bool(self._line) and self._line[0] is place
                if is_first and self._clock() - self._since >= self._held:
                    self._line.popleft()
                    self._begin(place)
                    return

    def release(self) -> bool:
        """End this thread's turn, if it is in a request that takes turns. Whether it is."""
        place: _Waiter | None = getattr(self._mine, "place", None)
        if place is None:
            return False
        self._mine.place = None
        with self._lock:
            if place is self._holder:
                self._holder = None
                if self._line:
                    self._begin(self._line[0])
                    self._line.popleft().gate.release()
        return True

    def _begin(self, place: _Waiter) -> None:
        self._holder, self._since = place, self._clock()


turns: Final = InterpreterQueue()


@contextlib.contextmanager
def turn_taken() -> Iterator[None]:
    """Run the block in turns with other requests."""
    turns.acquire()
    try:
        yield
    finally:
        turns.release()


@contextlib.contextmanager
def turn_given_back() -> Iterator[None]:
    """Let others have their turn while the block waits; without a turn there is none to give."""
    if not turns.release():
        yield
        return
    try:
        yield
    finally:
        turns.acquire()


class _Connection(psycopg.Connection[Any]):
    """A connection whose thread gives its turn back while it waits for the server."""

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **options: Any) -> Any:
        with turn_given_back():
            return super().wait(gen, *args, **options)


@event.listens_for(Engine, "do_connect")
def _on_open(dialect: Dialect, _record: Any, arguments: Any, options: Any) -> Any:
    if dialect.driver != "psycopg":
        return None
    return _Connection.connect(*arguments, **options)
