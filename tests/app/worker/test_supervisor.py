"""The worker dyno as real processes: it restarts what dies, and ends when told."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from app.local.redis_server import EmbeddedRedis
from app.queues import Queue
from app.worker.supervisor import process_specs
from tests.support import ROOT
from tests.support.waiting import eventually

#: worker.py that is not in a hurry at its end: the machine may have other work.
UNHURRIED = (
    "-c",
    """import sys
from app.worker import supervisor
supervisor.STOP_SECONDS = 60.0
sys.exit(supervisor.main())
""",
)


class Worker:
    """`python worker.py`, or another `program`, and what it says."""

    def __init__(self, environ: dict[str, str], log: Path, program: Sequence[str]) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, *program],
                cwd=ROOT,
                env={**os.environ, **environ},
                stdout=out,
                stderr=out,
            )
        self.seen = psutil.Process(self.process.pid)

    def children(self) -> list[psutil.Process]:
        return [one for one in self.seen.children() if _lives(one)]

    def log_text(self) -> str:
        return self.log.read_text()

    def end(self) -> None:
        """Kill it with its processes: none of them is to work on the rows of the next test."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)  # it starts no others meanwhile
            children = self.children()
            self.process.kill()
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            eventually(lambda: not any(map(_lives, children)))
        self.process.wait()


def _lives(process: psutil.Process) -> bool:
    """Whether a process is there; one may end while it is looked at."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def own_redis(tmp_path):
    with EmbeddedRedis(tmp_path) as server:
        yield server


@pytest.fixture
def start_worker(live_app, environ, own_redis, tmp_path):
    """Starts worker dynos on the database under test and a Redis of their own."""
    started: list[Worker] = []

    def start(*, program: Sequence[str] = ("worker.py",), **changes: str) -> Worker:
        given = {**environ, "REDIS_URL": own_redis.url, "PUBLIC_URL": "https://gatepost.example"}
        worker = Worker({**given, **changes}, tmp_path / f"worker{len(started)}.log", program)
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.end()


def test_each_queue_has_its_process_and_there_is_one_clock(start_worker):
    worker = start_worker(WORKERS="2")
    eventually(lambda: len(worker.children()) == 2 * len(Queue) + 1)


def test_without_a_public_address_there_is_a_poller(settings):
    names = [spec.name for spec in process_specs(settings(PUBLIC_URL=""))]
    assert names == ["updates", "postbacks", "messages", "clock", "poller"]


def test_what_is_killed_is_started_again(start_worker):
    worker = start_worker()
    eventually(lambda: len(worker.children()) == 4)
    killed = {child.pid for child in worker.children()}
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len({child.pid for child in worker.children()} - killed) == 4)
    assert worker.log_text().count("worker.process_died") == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_and_leaves_nothing(start_worker, number):
    worker = start_worker(program=UNHURRIED)
    eventually(lambda: len(worker.children()) == 4)
    children = worker.children()
    worker.process.send_signal(number)
    assert worker.process.wait(timeout=60) == 0
    assert not any(child.is_running() for child in children)
    assert "worker.process_killed" not in worker.log_text()


def test_a_signal_during_the_start_is_obeyed_too(start_worker):
    worker = start_worker()
    eventually(lambda: "worker.started" in worker.log_text())
    worker.process.terminate()
    assert worker.process.wait(timeout=60) == 0


def test_when_the_supervisor_is_killed_its_processes_leave(start_worker):
    worker = start_worker()
    eventually(lambda: len(worker.children()) == 4)
    children = worker.children()
    worker.process.kill()
    eventually(lambda: not any(map(_lives, children)), what="the end of its processes")


def test_it_outlives_redis(start_worker, own_redis, live_app):
    worker = start_worker()
    eventually(lambda: len(worker.children()) == 4)
    before = {child.pid for child in worker.children()}
    own_redis.stop(kill=True)
    eventually(lambda: "redis.lost" in worker.log_text())
    own_redis.start()
    eventually(lambda: "redis.back" in worker.log_text())
    assert {child.pid for child in worker.children()} == before
    worker.process.terminate()
    assert worker.process.wait(timeout=60) == 0


def test_a_redis_that_does_not_answer_ends_its_start_with_one_line(start_worker, own_redis):
    own_redis.stop()
    worker = start_worker()
    assert worker.process.wait(timeout=20) == 2
    assert worker.log_text().startswith("gatepost: REDIS_URL: does not answer: ")


def test_it_ends_while_redis_is_away(start_worker, own_redis):
    worker = start_worker()
    eventually(lambda: len(worker.children()) == 4)
    own_redis.stop(kill=True)
    eventually(lambda: "redis.lost" in worker.log_text())
    worker.process.terminate()
    assert worker.process.wait(timeout=60) == 0


def test_a_wrong_setting_ends_it_with_one_line_that_names_it(start_worker):
    worker = start_worker(SECRET_KEY="short")
    assert worker.process.wait(timeout=60) == 2
    assert worker.log_text().count("\n") == 1
    assert "SECRET_KEY" in worker.log_text()
