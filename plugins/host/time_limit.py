"""A limit on how long foreign code may run, in any thread.

In the main thread an interval timer interrupts even a blocking call. A drain
keeps one timer for all its calls (`shared_timer`), and each of them only notes
until when it may run. In other threads a watchdog raises inside the thread,
which takes effect at its next bytecode.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Final, Self

#: How often the timer looks for a call that is over its limit, in seconds.
_TICK: Final = 0.1

#: After the first interruption, how soon the next: code under `except:`
#: swallows some, never all of them.
_AGAIN: Final = 0.02
#: How soon it is seen that a watchdog has ended.
_SOON: Final = 0.001

MAIN: Final = threading.main_thread().ident


class TimeUp(BaseException):
    """The limit is over. Not an `Exception`, so that few handlers swallow it."""


def time_limit(seconds: float) -> _Deadline:
    """Interrupt the body of the `with` by `TimeUp` after `seconds`. For the main thread.

    It may take a tenth of a second more. `foreign_code.run_limited` is for any thread.
    """
    return _Deadline(seconds)


@contextmanager
def shared_timer() -> Iterator[None]:
    """Keep one timer for every limit inside the `with`. Without effect outside the main thread.

    A limit alone sets up a timer and takes it down: four system calls. A timer and a
    handler that were there before come back at the end, with the time that is left.
    """
    if threading.get_ident() != MAIN or _timer.is_running:
        yield
        return
    _timer.start(_TICK)
    try:
        yield
    finally:
        _timer.stop()


class _Timer:
    """The interval timer of the main thread, and the innermost call that it watches."""

    __slots__ = ("_earlier", "_handler", "_started", "_trace", "call", "fired", "is_running")

    def __init__(self) -> None:
        self.call: _Deadline | None = None
        self.fired = 0
        self.is_running = False

    def start(self, seconds: float) -> None:
        """Check `call` after `seconds` for the first time, then every `_TICK`."""
        self._trace = sys.gettrace()
        self._started = time.monotonic()
        self._handler = signal.signal(signal.SIGALRM, self._tick)
        self._earlier = signal.setitimer(signal.ITIMER_REAL, seconds, _TICK)
        self.is_running = True

    def stop(self) -> None:
        """Put back the timer and the handler that `start` found."""
        self.is_running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler)
        left, interval = self._earlier
        if left:
            left = max(left - (time.monotonic() - self._started), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left, interval)

    def calm_down(self) -> None:
        """Interrupt no more: the call that had to be interrupted is over."""
        self.fired = 0
        sys.settrace(self._trace)
        signal.setitimer(signal.ITIMER_REAL, _TICK, _TICK)

    def _tick(self, _number: int, frame: FrameType | None) -> None:
        # Raised in our own `__enter__` or `__exit__`, it would leave `call` set for ever.
        if not self._is_over() or (frame is not None and frame.f_globals is globals()):
            return
        self.fired += 1
        if self.fired == 1:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
        elif frame is not None:
            # Swallowed once. Raise again on the next line it runs, which for
            # `except: pass` lies outside the `try` that swallows.
            frame.f_trace = self._raise
            sys.settrace(self._raise)
        raise TimeUp

    def _raise(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if frame.f_globals is globals():
            return None
        if event == "line" and self._is_over():  # raised sooner, it is swallowed with the first
            raise TimeUp
        return self._raise

    def _is_over(self) -> bool:
        return self.call is not None and time.monotonic() >= self.call.until


_timer: Final = _Timer()


class _Deadline:
    """The limit for the main thread: the time until when a call may run."""

    __slots__ = ("_is_alone", "_outer", "_seconds", "until")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> Self:
        self.until = time.monotonic() + self._seconds
        self._outer = outer = _timer.call
        if outer is not None and outer.until < self.until:
            self.until = outer.until
        _timer.call = self
        self._is_alone = not _timer.is_running
        if self._is_alone:
            _timer.start(min(self._seconds, _TICK))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            _timer.call = self._outer
        finally:  # the last signal may strike in the line above
            _timer.call = self._outer
            if _timer.fired:
                _timer.calm_down()
            if self._is_alone:
                _timer.stop()


class Watchdog:
    """The limit for any other thread. Costs a thread, and few calls are made there.

    Used by `foreign_code.run_limited` alone, which says how it is ended.
    """

    __slots__ = ("_gate", "_has_shot", "_is_gate_open", "_is_running", "_target", "is_over")

    def __init__(self) -> None:
        self._target = threading.get_ident()
        # A lock of C: what Python has written of an Event stays locked if it is struck inside.
        self._gate = threading.Lock()
        self._gate.acquire()
        self._is_gate_open = self._has_shot = False
        self._is_running = True
        #: Set at the end of the call. Nothing is sent after that but by a shot that has begun.
        self.is_over = False

    def start(self, seconds: float) -> None:
        """Raise TimeUp in this thread after `seconds`, and again while the call is not over."""
        watch = threading.Thread(target=self._run, args=(seconds,), name="time-limit", daemon=True)
        watch.start()

    def _run(self, seconds: float) -> None:
        while not self._gate.acquire(timeout=seconds):
            self._has_shot = True  # first: who does not see it is not shot at
            if self.is_over:
                break
            _raise_in(self._target)
            seconds = _AGAIN
        self._is_running = False

    def settle(self) -> None:
        """Take back what was sent and has not arrived; after that nothing more comes.

        Not by sending NULL: CPython 3.11 then keeps the interpreter's eval breaker set for ever.
        One more is sent instead, which takes the place of any other, and is waited for. May be
        struck itself, and is called again then.
        """
        if not self._is_gate_open:
            self._is_gate_open = True
            self._gate.release()
        if not self._has_shot:
            return
        while self._is_running:
            time.sleep(_SOON)
        try:
            _raise_in(self._target)
            while True:
                time.sleep(0)
        except TimeUp:
            return


def _raise_in(thread: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeUp))
