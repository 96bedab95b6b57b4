"""A worker's loops end when told to, and outlive Redis and the database."""

import logging
import signal
import threading
from typing import Any

import pytest
import rq
from rq.exceptions import DequeueTimeout, StopRequested
from rq.serializers import JSONSerializer
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app import jobs
from app.extensions import wakeup
from app.models import SourceMode
from app.observability.faults import faults
from app.queues import HEARTBEAT_SECONDS, Queue
from app.sandbox.telegram import people
from app.worker import rq_worker
from app.worker.rq_worker import DrainWorker


@pytest.fixture(autouse=True)
def not_stopping():
    """No test leaves this process stopping, or its signals changed."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    jobs.stopping.clear()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def worker(clean_redis):
    queue = rq.Queue(Queue.UPDATES, connection=clean_redis, serializer=JSONSerializer)
    return DrainWorker([queue], connection=clean_redis, serializer=JSONSerializer)


class Clock:
    """Lets a loop that waits `seconds` run so many times, without waiting, and no other loop."""

    def __init__(self, seconds: float, times: int) -> None:
        self.seconds, self.left = seconds, times

    def wait(self, seconds: float) -> bool:
        if seconds != self.seconds:
            return True
        self.left -= 1
        return self.left < 0


def join_those_beside(*names: str) -> None:
    """Wait for the ends of threads beside the clock, which must not meet the next test."""
    for thread in threading.enumerate():
        if thread.name in names:
            thread.join()


def test_a_job_that_was_queued_is_run_in_this_process(stage, worker, monkeypatch):
    monkeypatch.setattr(jobs, "LINGER_SECONDS", 0.05)
    stage.receive(people.start(people.Person(1), f"{stage.code}-c1"))
    wakeup.enqueue_drain(Queue.UPDATES)
    assert worker.work(burst=True)
    assert stage.lead(1) is not None


def test_what_a_job_raises_is_told(worker, monkeypatch):
    told = []
    faults.start(lambda error, what: told.append((what, str(error))))
    monkeypatch.setattr(logging.getLogger("rq.worker"), "disabled", True)
    try:
        for queue in worker.queues:
            queue.enqueue("operator.truediv", 1, 0)
        worker.work(burst=True)
    finally:
        faults.start(None)
    assert told == [("job.failed", "division by zero")]


def test_a_signal_while_a_job_runs_waits_for_its_end(worker):
    worker.request_stop(signal.SIGTERM, None)
    assert jobs.stopping.is_set()
    assert worker._stop_requested


def test_a_signal_while_nothing_runs_ends_the_waiting(worker, monkeypatch):
    def interrupted(*_: Any, **__: Any) -> None:
        worker.request_stop(signal.SIGTERM, None)

    monkeypatch.setattr(rq.SimpleWorker, "dequeue_job_and_maintain_ttl", interrupted)
    with pytest.raises(StopRequested):
        worker.dequeue_job_and_maintain_ttl(1)
    assert jobs.stopping.is_set()
    worker.request_stop()  # it is not waiting any more, so nothing is raised


def test_a_worker_that_has_nothing_to_do_gives_a_sign_whenever_it_looks_again(worker, monkeypatch):
    looks = iter([DequeueTimeout, DequeueTimeout, StopIteration])
    signs: list[str] = []

    def nothing(*_: Any, **__: Any) -> None:
        raise next(looks)

    monkeypatch.setattr(wakeup, "beat", signs.append)
    monkeypatch.setattr(worker.queue_class, "dequeue_any", nothing)
    with pytest.raises(StopIteration):
        worker.dequeue_job_and_maintain_ttl(1)
    assert signs == [Queue.UPDATES] * 3
    assert rq_worker.WORKER_TTL < HEARTBEAT_SECONDS


def test_a_signal_before_the_loop_began_is_not_forgotten(worker):
    jobs.stopping.set()
    worker._install_signal_handlers()
    assert worker._stop_requested


def test_a_job_has_no_alarm_that_would_disturb_the_time_limit_of_a_hook(worker):
    before = signal.getsignal(signal.SIGALRM)
    with worker.death_penalty_class(1, Exception):
        assert signal.getsignal(signal.SIGALRM) is before


def test_redis_that_goes_while_we_work_is_logged_and_the_loop_goes_on(
    app, clean_redis, monkeypatch
):
    def away(*_: Any, **__: Any) -> None:
        raise rq_worker.redis.ConnectionError("gone")

    monkeypatch.setattr(DrainWorker, "work", away)
    with capture_logs() as lines:
        rq_worker._work_once(Queue.UPDATES, clean_redis)
    assert [line["event"] for line in lines] == ["worker.interrupted"]
    assert not jobs.stopping.is_set()
    signal.raise_signal(signal.SIGTERM)  # between two workers it is heard as well
    assert jobs.stopping.is_set()


def test_work_asks_again_until_redis_answers_and_ends_when_stopping(app, monkeypatch):
    answers = [False, False, True]
    worked: list[Queue] = []

    def work_once(queue: Queue, _connection: object) -> None:
        worked.append(queue)
        jobs.stopping.set()

    monkeypatch.setattr(wakeup, "answers", lambda: answers.pop(0))
    monkeypatch.setattr(rq_worker, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(rq_worker, "_work_once", work_once)
    rq_worker.work(Queue.MESSAGES)
    assert (worked, answers) == ([Queue.MESSAGES], [])


def test_the_clock_outlives_the_database_and_says_once_that_it_went_and_came_back(app, monkeypatch):
    fault = OperationalError("SELECT 1", {}, OSError("gone"))
    results = [fault, fault, None, None]

    def sweep() -> None:
        if result := results.pop(0):
            raise result

    monkeypatch.setattr(jobs, "stopping", Clock(rq_worker.TICK_SECONDS, 4))
    monkeypatch.setattr(jobs, "sweep", sweep)
    with capture_logs() as lines:
        rq_worker.tick()
        join_those_beside("bots", "invites", "stalled")
    assert [line["event"] for line in lines] == ["database.lost", "database.back"]
    assert results == []


def test_who_looks_after_the_bots_outlives_the_database_too(app, monkeypatch):
    results = [OperationalError("SELECT 1", {}, OSError("gone")), None]

    def look_after_bots() -> None:
        if result := results.pop(0):
            raise result

    monkeypatch.setattr(jobs, "stopping", Clock(rq_worker.BOTS_SECONDS, 2))
    monkeypatch.setattr(jobs, "look_after_bots", look_after_bots)
    rq_worker._repeat(app, rq_worker.BOTS_SECONDS, jobs.look_after_bots)
    assert results == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_ends_no_work_beside_the_clock_for_good(app, monkeypatch):
    """Its thread ends, and the clock begins another."""
    begun = threading.Semaphore(0)

    def look_after_bots() -> None:
        begun.release()
        raise ZeroDivisionError

    def sweep() -> None:
        has_begun.append(begun.acquire(timeout=5))
        if len(has_begun) == 3 or not has_begun[-1]:
            jobs.stopping.set()

    has_begun: list[bool] = []
    monkeypatch.setattr(jobs, "stopping", threading.Event())
    monkeypatch.setattr(rq_worker, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(rq_worker, "BOTS_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "look_after_bots", look_after_bots)
    monkeypatch.setattr(jobs, "sweep", sweep)
    rq_worker.tick()
    join_those_beside("stalled")
    assert has_begun == [True, True, True]


class Given:
    """Stands for the event of a thread that is given work: notes how often it was waited for."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return True


def test_who_has_no_work_waits_for_it_and_goes_on_while_there_is_more(app, monkeypatch):
    results = iter([True, True, False, None])
    waited_before: list[int] = []
    given: Any = Given()

    def task() -> bool | None:
        waited_before.append(len(given.waits))
        return next(results)

    monkeypatch.setattr(jobs, "stopping", Clock(rq_worker.REQUESTS_SECONDS, 4))
    rq_worker._repeat(app, rq_worker.REQUESTS_SECONDS, task, given)
    assert waited_before == [1, 1, 1, 2]
    assert set(given.waits) == {rq_worker.REST_SECONDS}


def test_after_an_outage_it_is_tried_again_without_being_given_work(app, monkeypatch):
    results = [OperationalError("SELECT 1", {}, OSError("gone")), None]
    given: Any = Given()

    def task() -> None:
        if result := results.pop(0):
            raise result

    monkeypatch.setattr(jobs, "stopping", Clock(rq_worker.REQUESTS_SECONDS, 2))
    rq_worker._repeat(app, rq_worker.REQUESTS_SECONDS, task, given)
    assert (results, len(given.waits)) == ([], 1)


def test_the_clock_gives_work_to_those_beside_it(world):
    """Links to make: a source was added, by whatever process."""
    given = jobs.HAS_WORK[jobs.keep_invites]
    given.clear()
    jobs.sweep()
    assert not given.is_set()
    world.source(world.campaign(), mode=SourceMode.AUTO)
    jobs.sweep()
    assert given.is_set()
    jobs.keep_invites()
    assert not given.is_set()


def test_who_waits_for_a_frozen_process_is_helped_while_a_tick_waits_too(app, monkeypatch):
    """The clock itself may be waiting for what is locked."""
    helped = threading.Event()

    def sweep() -> None:
        assert helped.wait(20)
        jobs.stopping.set()

    monkeypatch.setattr(jobs, "stopping", threading.Event())
    monkeypatch.setattr(rq_worker, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(rq_worker, "STALLED_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "end_stalled", helped.set)
    monkeypatch.setattr(jobs, "sweep", sweep)
    rq_worker.tick()
    join_those_beside("bots", "stalled")
    assert helped.is_set()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Worker %s: could not connect to Redis instance: %s Retrying in %d seconds...", False),
        ("Worker %s: found an unhandled exception, quitting...", False),
        ("Worker %s: job %s failed", True),
    ],
)
def test_what_rq_repeats_each_second_is_not_logged_and_the_rest_is(message, shown):
    record = logging.LogRecord("rq.worker", logging.ERROR, "", 0, message, None, None)
    assert rq_worker._is_not_repeated(record) is shown
