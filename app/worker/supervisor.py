"""The worker dyno: one process per queue (times WORKERS), the clock, the poller.

The supervisor loads the application, opens no connection, and forks; so the
processes share most of their memory and start in milliseconds. It restarts
what dies, and ends all within STOP_SECONDS when asked to. Should it be
killed itself, its processes notice that a pipe has closed and leave.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from typing import Final

import structlog
from flask import Flask, current_app

from app import create_app
from app.config import BadSetting, Settings
from app.jobs import stopping
from app.queues import Queue
from app.services.updates.polling import Poller
from app.worker.rq_worker import tick, work

log = structlog.get_logger()

STOP_SECONDS: Final = 9.0  # a dyno manager kills after 10
GLANCE_SECONDS: Final = 0.2
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
HEALTHY_SECONDS: Final = 10.0  # who lived this long is restarted at once

_fork: Final = multiprocessing.get_context("fork")
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Run until a signal. Returns the exit status: 2 for a setting that cannot be used."""
    try:
        app = create_app(Settings.from_environment())
    except BadSetting as error:
        sys.stderr.write(f"gatepost: {error}\n")
        return 2
    Supervisor(app, places(app.config["SETTINGS"])).run()
    return 0


@dataclass(slots=True)
class Place:
    """A process that should be there, and the one that is."""

    name: str
    task: Callable[[], None]
    process: ForkProcess | None = None
    started: float = 0.0
    pause: float = field(default=FIRST_PAUSE)
    not_before: float = 0.0


def places(settings: Settings) -> list[Place]:
    """What one worker dyno consists of."""
    drains = [
        Place(queue.value, lambda queue=queue: work(queue))  # type: ignore[misc]
        for queue in Queue
        for _ in range(settings.workers)
    ]
    clock = Place("clock", lambda: _beside_signals(tick))
    if settings.public_url:
        return [*drains, clock]
    return [*drains, clock, Place("poller", lambda: _beside_signals(_poll))]


def _poll() -> None:
    Poller().run(stopping)


class Supervisor:
    """Keeps every place filled until it is told to stop."""

    def __init__(self, app: Flask, wanted: list[Place]) -> None:
        self._app = app
        self._places = wanted
        self._asked_to_stop = False
        self._lifeline, self._own_end = os.pipe()

    def run(self) -> None:
        """Fill the places, refill them, and empty them at the end."""
        for number in _SIGNALS:
            signal.signal(number, self._stop)
        gc.freeze()  # what is loaded now stays shared between the processes
        log.info("worker.started", places=[place.name for place in self._places])
        while not self._asked_to_stop:
            for place in self._places:
                self._fill(place)
            wait(
                [place.process.sentinel for place in self._places if place.process],
                GLANCE_SECONDS,
            )
            for place in self._places:
                self._look_after(place)
        self._empty()
        log.info("worker.stopped")

    def _stop(self, *_: object) -> None:
        self._asked_to_stop = True

    def _fill(self, place: Place) -> None:
        now = time.monotonic()
        if place.process is not None or now < place.not_before or self._asked_to_stop:
            return
        place.started = now
        place.process = _fork.Process(target=self._live, args=(place,), name=place.name)
        with _signals_held():  # the child must not meet them with our handlers
            place.process.start()

    def _look_after(self, place: Place) -> None:
        if place.process is None or place.process.exitcode is None:
            return
        now = time.monotonic()
        lived = now - place.started
        if lived >= HEALTHY_SECONDS:
            place.pause = FIRST_PAUSE
        place.not_before = now + place.pause
        if not self._asked_to_stop:
            log.warning(
                "worker.process_died",
                place=place.name,
                code=place.process.exitcode,
                lived=round(lived, 1),
                restart_in=place.pause,
            )
        place.pause = min(place.pause * 2, LONGEST_PAUSE)
        place.process.close()
        place.process = None

    def _empty(self) -> None:
        alive = [place.process for place in self._places if place.process]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in alive:
            process.join(max(0.0, deadline - time.monotonic()))
        for process in alive:
            if process.is_alive():
                log.warning("worker.process_killed", place=process.name)
                process.kill()
                process.join()

    def _live(self, place: Place) -> None:
        """The life of one child."""
        os.close(self._own_end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us by the supervisor
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        threading.Thread(target=_leave_with, args=(self._lifeline,), daemon=True).start()
        try:
            with self._app.app_context():
                place.task()
        except Exception:  # the last place where it can be logged, and masked
            log.exception("worker.process_failed", place=place.name)
            sys.exit(1)


def _leave_with(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when nobody holds the other end any more
    log.warning("worker.supervisor_lost")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


def _beside_signals(task: Callable[[], None]) -> None:
    """Run `task` in a thread, so that the handler of SIGTERM may set `stopping`.

    A handler runs inside the main thread: were that one just waiting on the
    event, setting it could wait for ever.
    """
    failures: list[BaseException] = []

    def attempt() -> None:
        try:
            with app.app_context():
                task()
        except BaseException as error:  # noqa: BLE001 - carried over to the main thread
            failures.append(error)

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    thread = threading.Thread(target=attempt, name="task")
    thread.start()
    while thread.is_alive():
        thread.join(1.0)
    for failure in failures:
        raise failure


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
