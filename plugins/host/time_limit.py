"""A limit on how long foreign code may run, in any thread.

In the main thread an interval timer interrupts even a blocking call. Its
signal is the one RQ uses for job timeouts, so the timer and handler found are
put back with the time that is left. In other threads a watchdog raises inside
the thread, which takes effect at its next bytecode.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Final, Self

#: After the first interruption, how soon the next: code under `except:`
#: swallows some, never all of them.
_AGAIN: Final = 0.02

_MAIN: Final = threading.main_thread()


class TimeUp(BaseException):
    """The limit is over. Not an `Exception`, so that few handlers swallow it."""


def time_limit(seconds: float) -> _Alarm | _Watchdog:
    """Interrupt the body of the `with` by `TimeUp` after `seconds`."""
    if threading.current_thread() is _MAIN:
        return _Alarm(seconds)
    return _Watchdog(seconds)


class _Alarm:
    """The limit for the main thread: an interval timer. A few µs a use."""

    __slots__ = ("_armed", "_fired", "_handler", "_seconds", "_started", "_timer", "_trace")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._fired = 0

    def __enter__(self) -> Self:
        self._armed = True
        self._trace = sys.gettrace()
        self._started = time.monotonic()
        self._handler = signal.signal(signal.SIGALRM, self._fire)
        self._timer = signal.setitimer(signal.ITIMER_REAL, self._seconds, _AGAIN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._armed = False
        finally:  # the last signal may strike in the line above
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)
            if self._fired:
                sys.settrace(self._trace)
            left, interval = self._timer
            if left:
                left = max(left - (time.monotonic() - self._started), 1e-6)
                signal.setitimer(signal.ITIMER_REAL, left, interval)

    def _fire(self, _number: int, frame: FrameType | None) -> None:
        if not self._armed:
            return
        self._fired += 1
        if self._fired > 1 and frame is not None:
            # Swallowed once. Raise again on the next line it runs, which for
            # `except: pass` lies outside the `try` that swallows.
            frame.f_trace = self._raise
            sys.settrace(self._raise)
        raise TimeUp

    def _raise(self, _frame: FrameType, what: str, _argument: Any) -> Any:
        if self._armed and what == "line":  # raised sooner, it is swallowed with the first
            raise TimeUp
        return self._raise


class _Watchdog:
    """The limit for any other thread. Costs a thread, and few calls are made there."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._target = threading.get_ident()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._sent = False
        self._watch = threading.Thread(target=self._run, name="time-limit", daemon=True)

    def __enter__(self) -> Self:
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._stop()
        except TimeUp:  # the last one struck while we were stopping
            self._stop()

    def _run(self) -> None:
        wait = self._seconds
        while not self._done.wait(wait):
            with self._lock:
                if not self._done.is_set():
                    self._sent = True
                    _raise_in(self._target)
            wait = _AGAIN

    def _stop(self) -> None:
        """Take back what was sent and has not arrived.

        Not by sending NULL: CPython 3.11 then keeps the interpreter's
        eval breaker set for ever. One more is sent instead, which takes the
        place of any other, and is waited for.
        """
        self._done.set()
        with self._lock:
            sent = self._sent
        if not sent:
            return
        try:
            _raise_in(self._target)
            while True:
                time.sleep(0)
        except TimeUp:
            return


def _raise_in(thread: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeUp))
