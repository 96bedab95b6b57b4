"""Where the transactions of a delivery run: in line, or in a thread while requests go on.

A commit takes a flush to disk and the server's time for hundreds of rows. In line nothing is sent
or read meanwhile, and whoever has one row to send waits for it twice.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine

from app.extensions import db

Work = Callable[[Connection], Any]
_NOTHING: Final = object()
#: Seconds after which a thread that works lets the other one go on, in a process of two.
SWITCH_SECONDS: Final = 0.0005


class Commits(Protocol):
    """Runs transactions, one at a time."""

    @property
    def is_pending(self) -> bool:
        """Whether one has begun whose result was not taken."""

    @property
    def is_done(self) -> bool:
        """Whether one is pending, and `result` would not wait."""

    def begin(self, work: Work) -> None:
        """Begin a transaction, and commit it after `work`. None may be pending."""

    def result(self) -> Any:
        """Return what `work` returned, once it is committed; raise what it raised instead."""


class CommitsInLine:
    """Runs them at once, in the caller's session."""

    def __init__(self) -> None:
        self._result: Any = _NOTHING

    @property
    def is_pending(self) -> bool:
        """Whether one has begun whose result was not taken."""
        return self._result is not _NOTHING

    is_done = is_pending

    def begin(self, work: Work) -> None:
        """Do all of it. Raises what `work` raises: then nothing is pending."""
        result = work(db.session.connection())
        db.session.commit()
        self._result = result

    def result(self) -> Any:
        """Return what `work` returned."""
        result, self._result = self._result, _NOTHING
        return result


class CommitsAside:
    """Runs them in a thread of its own, and calls `on_end` there after each.

    That thread needs the interpreter a dozen times for a transaction, so the process is told to
    switch more often than by Python's 5 ms.
    """

    def __init__(self, engine: Engine, on_end: Callable[[], None]) -> None:
        self._engine = engine
        self._on_end = on_end
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commits")
        self._running: Future[Any] | None = None
        sys.setswitchinterval(SWITCH_SECONDS)

    @property
    def is_pending(self) -> bool:
        """Whether one has begun whose result was not taken."""
        return self._running is not None

    @property
    def is_done(self) -> bool:
        """Whether one is pending, and `result` would not wait."""
        return self._running is not None and self._running.done()

    def begin(self, work: Work) -> None:
        """Begin a transaction; what `work` reads must not change until it has ended."""
        self._running = self._thread.submit(self._run, work)
        self._running.add_done_callback(lambda _: self._on_end())

    def result(self) -> Any:
        """Wait for the end. Return what `work` returned, or raise what was raised."""
        assert self._running is not None  # noqa: S101 - only what is pending has a result
        running, self._running = self._running, None
        return running.result()

    def _run(self, work: Work) -> Any:
        with self._engine.begin() as connection:
            return work(connection)
