"""The loops of a worker process: RQ's jobs of one queue, and the one-second clock.

RQ's worker is made for jobs that matter by themselves. Ours are reminders, so
this one leaves out what they do not need and never waits long for a lost Redis.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import redis
import rq
import structlog
from flask import Flask, current_app
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from app import jobs
from app.config import current_settings
from app.database.faults import OUTAGES
from app.extensions import db, wakeup
from app.health_watch import HealthWatch
from app.observability.faults import FaultReporting, faults
from app.queues import CLOCK, FAULTS, Queue

log = structlog.get_logger()

TICK_SECONDS: Final = 1.0
BOTS_SECONDS: Final = 5.0  # between two looks for bots that are due to be checked
INVITES_SECONDS: Final = 1.5  # between two rounds for invite links
REQUESTS_SECONDS: Final = 0.3  # between two rounds of decisions about requests to join
EXPORTS_SECONDS: Final = 0.5  # between two rounds of files that are prepared
STALLED_SECONDS: Final = 5.0  # between two looks for transactions of frozen processes
REST_SECONDS: Final = 60.0  # for which a thread beside the clock waits to be given work
AGAIN_SECONDS: Final = 1.0  # until Redis is asked again whether it is back

#: Seconds. RQ waits 15 s less for a job, and 5 s less for any answer: so long a dead
#: connection goes unnoticed. Its default is 7 minutes.
WORKER_TTL: Final = 30

#: What RQ logs when Redis goes; `worker.interrupted` and the clock tell it.
_REPEATED_MESSAGES: Final = ("could not connect to Redis", "found an unhandled exception, quitting")


class _NoDeathPenalty(BaseDeathPenalty):
    """A drain bounds itself; RQ's alarm would disturb the plugins' time limit."""

    def setup_death_penalty(self) -> None:
        """Set no alarm."""

    def cancel_death_penalty(self) -> None:
        """There is none."""


class DrainWorker(rq.SimpleWorker):
    """An RQ worker in this very process, on one queue."""

    death_penalty_class = _NoDeathPenalty
    max_connection_wait_time = AGAIN_SECONDS
    _idle = False

    def _install_signal_handlers(self) -> None:
        signal.signal(signal.SIGTERM, self.request_stop)
        self._stop_requested = jobs.stopping.is_set()  # it may have come a moment before

    def request_stop(self, *_: Any) -> None:
        """Finish the current job and take no other."""
        jobs.stopping.set()
        self._stop_requested = True
        if self._idle:
            raise StopRequested

    def dequeue_job_and_maintain_ttl(self, *arguments: Any, **options: Any) -> Any:
        """Wait for a job; only here may a signal interrupt."""
        self._idle = True
        try:
            return super().dequeue_job_and_maintain_ttl(*arguments, **options)
        finally:
            self._idle = False

    def heartbeat(self, *arguments: Any, **options: Any) -> None:
        """Give a sign, also while it waits: RQ does that in a loop and calls this in each round."""
        for queue in self.queues:
            wakeup.beat(queue.name)
        super().heartbeat(*arguments, **options)

    def handle_exception(self, job: Any, *exc_info: Any) -> None:
        """Report what a job raised; RQ logs it."""
        faults.report(exc_info[1] if len(exc_info) > 1 else None, "job.failed")
        super().handle_exception(job, *exc_info)

    def subscribe(self) -> None:
        """Subscribe to no commands over Redis: this process is controlled by signals only."""


def work(queue: Queue) -> None:
    """Run the jobs of `queue` until `jobs.stopping`. Survives the loss of Redis."""
    logging.getLogger("rq.worker").addFilter(_is_not_repeated)
    url = current_settings().redis_url
    while not jobs.stopping.is_set():
        if not wakeup.answers():
            time.sleep(AGAIN_SECONDS)
            continue
        with redis.Redis.from_url(
            url, socket_connect_timeout=2, retry=Retry(NoBackoff(), 1)
        ) as connection:
            _work_once(queue, connection)


def _work_once(queue: Queue, connection: redis.Redis) -> None:
    """Work until Redis goes away or the process is asked to stop."""
    rq_queue = rq.Queue(queue, connection=connection, serializer=JSONSerializer)
    try:
        DrainWorker(
            [rq_queue],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
            log_job_description=False,
        ).work(logging_level="WARNING")
    except StopRequested:
        pass  # the signal came while RQ was deregistering
    except FAULTS as error:
        log.warning("worker.interrupted", queue=queue.value, error=type(error).__name__)
    finally:
        signal.signal(signal.SIGTERM, lambda *_: jobs.stopping.set())


def _is_not_repeated(record: logging.LogRecord) -> bool:
    """RQ logs these every second while Redis is away; the clock logs it once."""
    return not any(words in str(record.msg) for words in _REPEATED_MESSAGES)


def tick() -> None:
    """Run the one-second clock: `jobs.sweep` every second until `jobs.stopping`.

    Survives the loss of the database and of Redis, and logs when one goes or comes back.
    Threads beside it look after the bots, keep invite links and tell decisions about requests:
    they wait for Telegram, which must not hold the clock. Another one prepares files, and one ends
    transactions whose owners are frozen: a tick may be waiting for what they have locked.
    """
    redis_health, database_health = HealthWatch("redis"), HealthWatch("database")
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    beside = {task: _start(app, name, seconds, task) for name, seconds, task in _beside()}
    while not jobs.stopping.wait(TICK_SECONDS):
        for name, seconds, task in _beside():
            if not beside[task].is_alive():  # a fault has ended it, and was reported
                beside[task] = _start(app, name, seconds, task)
        fault = wakeup.fault()
        redis_health.update(well=not fault, fault=fault, setting="REDIS_URL")
        wakeup.beat(CLOCK)
        try:
            jobs.sweep()
        except OUTAGES as error:
            db.session.remove()
            database_health.update(well=False, error=type(error).__name__)
        else:
            database_health.update(well=True)


def _beside() -> tuple[tuple[str, float, Callable[[], Any]], ...]:
    """What is done in threads beside the clock: name, seconds between two rounds, and the task."""
    return (
        ("bots", BOTS_SECONDS, jobs.look_after_bots),
        ("invites", INVITES_SECONDS, jobs.keep_invites),
        ("requests", REQUESTS_SECONDS, jobs.tell_decisions),
        ("exports", EXPORTS_SECONDS, jobs.write_exports),
        ("stalled", STALLED_SECONDS, jobs.end_stalled),
    )


def _start(app: Flask, name: str, seconds: float, task: Callable[[], Any]) -> threading.Thread:
    arguments = (app, seconds, task, jobs.HAS_WORK.get(task))
    thread = threading.Thread(target=_repeat, args=arguments, daemon=True, name=name)
    thread.start()
    return thread


def _repeat(
    app: Flask, seconds: float, task: Callable[[], Any], has_work: threading.Event | None = None
) -> None:
    """Run `task` again and again, with `seconds` between; and with `has_work` while it is set.

    Also while the task says that it goes on, after an outage, and once in `REST_SECONDS`.
    """
    goes_on = False
    while not jobs.stopping.wait(seconds):
        if has_work and not goes_on:
            has_work.wait(REST_SECONDS)
        goes_on = True
        with app.app_context():
            try:
                with FaultReporting(faults, "thread.failed"):
                    goes_on = bool(task())
            except OUTAGES:  # the clock logs it
                db.session.remove()
