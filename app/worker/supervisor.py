"""The worker dyno: one process per queue (times WORKERS), the clock, the poller.

The supervisor loads the application, opens no connection, and forks; so the
processes share most of their memory and start in milliseconds. It restarts
what dies, and ends all within STOP_SECONDS when asked to. Should it be
killed itself, its processes notice that a pipe has closed and leave.
"""

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from typing import Final

import structlog
from flask import Flask, current_app

from app import create_app
from app.config import BadSetting, Settings
from app.jobs import stopping
from app.observability.start import start as start_observability
from app.queues import Queue
from app.services.updates.polling import Poller
from app.start_checks import check_services, described
from app.worker.rq_worker import tick, work

log = structlog.get_logger()

STOP_SECONDS: Final = 9.0  # a dyno manager kills after 10
CHECK_SECONDS: Final = 5.0  # between two looks at the processes; who dies is noticed at once
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0
HEALTHY_SECONDS: Final = 10.0  # a process that lived this long is restarted at once

_fork: Final = multiprocessing.get_context("fork")
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


def main() -> int:
    """Run until a signal. Returns the exit status: 2 for a setting that cannot be used."""
    try:
        app = create_app(Settings.from_environment())
        check_services(app.config["SETTINGS"])
    except BadSetting as error:
        sys.stderr.write(f"gatepost: {error}\n")
        return 2
    Supervisor(app, process_specs(app.config["SETTINGS"])).run()
    return 0


@dataclass(slots=True)
class ProcessSpec:
    """A process that should run, and the one that runs for it. Times are monotonic seconds."""

    name: str
    task: Callable[[], None]
    process: ForkProcess | None = None
    started: float = 0.0
    pause: float = field(default=FIRST_PAUSE)
    not_before: float = 0.0


def process_specs(settings: Settings) -> list[ProcessSpec]:
    """The processes of one worker dyno, as the settings want them."""
    drains = [
        ProcessSpec(queue.value, lambda queue=queue: work(queue))  # type: ignore[misc]
        for queue in Queue
        for _ in range(settings.workers)
    ]
    clock = ProcessSpec("clock", lambda: _in_thread(tick))
    if settings.public_url:
        return [*drains, clock]
    return [*drains, clock, ProcessSpec("poller", lambda: _in_thread(_poll))]


def _poll() -> None:
    Poller().run(stopping)


class Supervisor:
    """Keeps a process running for every spec until it is asked to stop."""

    def __init__(self, app: Flask, specs: list[ProcessSpec]) -> None:
        self._app = app
        self._specs = specs
        self._asked_to_stop = False
        self._lifeline, self._own_end = os.pipe()
        self._signalled, self._signal = os.pipe()

    def run(self) -> None:
        """Start all processes, restart those that die, and end them after a signal."""
        for number in _SIGNALS:
            signal.signal(number, self._stop)
        gc.freeze()  # what is loaded now stays shared between the processes
        names = [spec.name for spec in self._specs]
        log.info("worker.started", **described(self._app.config["SETTINGS"]), processes=names)
        while not self._asked_to_stop:
            for spec in self._specs:
                self._start(spec)
            sentinels = [spec.process.sentinel for spec in self._specs if spec.process]
            wait([*sentinels, self._signalled], self._pause())
            for spec in self._specs:
                self._check(spec)
        self._end_all()
        log.info("worker.stopped")

    def _stop(self, *_: object) -> None:
        self._asked_to_stop = True
        os.write(self._signal, b"x")  # a wait goes on after a signal, unless it waits for this

    def _pause(self) -> float:
        """Return the seconds until the next process is to be started again, if any is."""
        now = time.monotonic()
        waiting = [spec.not_before - now for spec in self._specs if spec.process is None]
        return max(0.0, min([CHECK_SECONDS, *waiting]))

    def _start(self, spec: ProcessSpec) -> None:
        now = time.monotonic()
        if spec.process is not None or now < spec.not_before or self._asked_to_stop:
            return
        spec.started = now
        spec.process = _fork.Process(target=self._run_child, args=(spec,), name=spec.name)
        with _signals_held():  # the child must not meet them with our handlers
            spec.process.start()

    def _check(self, spec: ProcessSpec) -> None:
        if spec.process is None or spec.process.exitcode is None:
            return
        now = time.monotonic()
        lived = now - spec.started
        if lived >= HEALTHY_SECONDS:
            spec.pause = FIRST_PAUSE
        spec.not_before = now + spec.pause
        if not self._asked_to_stop:
            log.warning(
                "worker.process_died",
                process=spec.name,
                code=spec.process.exitcode,
                lived=round(lived, 1),
                restart_in=spec.pause,
            )
        spec.pause = min(spec.pause * 2, LONGEST_PAUSE)
        spec.process.close()
        spec.process = None

    def _end_all(self) -> None:
        alive = [spec.process for spec in self._specs if spec.process]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in alive:
            process.join(max(0.0, deadline - time.monotonic()))
        for process in alive:
            if process.is_alive():
                log.warning("worker.process_killed", process=process.name)
                process.kill()
                process.join()

    def _run_child(self, spec: ProcessSpec) -> None:
        """Run one child process, from fork to exit."""
        os.close(self._own_end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches us by the supervisor
        signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        threading.Thread(target=_exit_with_supervisor, args=(self._lifeline,), daemon=True).start()
        start_observability(self._app.config["SETTINGS"], spec.name)
        try:
            with self._app.app_context():
                spec.task()
        except Exception:  # nothing is above a child: its end is logged, masked, and restarted
            log.exception("worker.process_failed", process=spec.name)
            sys.exit(1)


def _exit_with_supervisor(lifeline: int) -> None:
    os.read(lifeline, 1)  # returns when nobody holds the other end any more
    log.warning("worker.supervisor_lost")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


def _in_thread(task: Callable[[], None]) -> None:
    """Run `task` in a thread, so that the handler of SIGTERM may set `stopping`.

    A handler runs inside the main thread: were that one just waiting on the
    event, setting it could wait for ever.
    """

    def run_task() -> None:
        with app.app_context():
            task()

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="task") as pool:
        running = pool.submit(run_task)
        while not running.done():
            futures.wait([running], timeout=1.0)
    running.result()


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
