"""Queues and the wake-up signal: how a process learns that there is work.

A notification is a reminder only: the rows in the database are the work, and
the clock finds them every second. So every fault of Redis is swallowed here,
and counted.

Each queue has a wake-up list (a Redis list of at most one entry) and a flag
that says a drain is busy. `notify` pushes to the list and reads the flag in
one atomic step, and enqueues an RQ job only if no drain is busy. A drain
removes its flag before it reads the list for the last time, so no
notification is lost in between.
"""

import contextlib
import enum
import threading
import time
from typing import Any, Final

import redis
import rq
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.serializers import JSONSerializer


class Queue(enum.StrEnum):
    """The queues. One RQ worker process listens to exactly one of them."""

    UPDATES = "updates"
    POSTBACKS = "postbacks"
    MESSAGES = "messages"

    @property
    def job(self) -> str:
        """The function that drains it. Names of jobs are a wire format."""
        return _JOBS[self]


_JOBS: Final = {
    Queue.UPDATES: "app.jobs.process_updates",
    Queue.POSTBACKS: "app.jobs.deliver_postbacks",
    Queue.MESSAGES: "app.jobs.send_messages",
}

BUSY_SECONDS: Final = 3  # the life of a drain's flag; it is renewed every second
AWAY_SECONDS: Final = 1.0  # after a fault, for which nobody waits for notifications
LOOK_TIMEOUT: Final = 0.3  # for a call of somebody with work in hand, whose lease runs out
GATHER_SECONDS: Final = 0.003  # notifications within this time share one round trip
_NOTIFY: Final = """
    redis.call('LPUSH', KEYS[1], '1')
    redis.call('LTRIM', KEYS[1], 0, 0)
    return redis.call('EXISTS', KEYS[2])
"""
FAULTS = (redis.RedisError, OSError)
_ALIVE: Final = "gatepost:alive"
#: An idle worker waits 15 s for a job. A drain may take minutes, and says so itself.
HEARTBEAT_SECONDS: Final = 60
HEARTBEAT_PAUSE: Final = 5.0
#: The process that looks for due work; the others are named by their queues.
CLOCK: Final = "clock"
PROCESSES: Final = (CLOCK, *(queue.value for queue in Queue))
_HEARTBEAT: Final = "gatepost:heartbeat:"


class WakeupSignal:
    """Notifies queues and waits for notifications. Unbound until `open`."""

    def __init__(self) -> None:
        self._redis: redis.Redis | None = None
        self._quick: redis.Redis | None = None  # gives up soon, and tries nothing twice
        self._pending: set[Queue] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._renewed: dict[Queue, float] = {}
        self._beats: dict[str, float] = {}
        self._away_until = 0.0
        self.faults = 0

    def open(self, url: str) -> None:
        """Bind to Redis. No connection is made yet."""
        self._redis = redis.Redis.from_url(
            url,
            socket_timeout=2,
            socket_connect_timeout=1,
            health_check_interval=15,
            retry=Retry(NoBackoff(), 1),  # by default it tries for seconds, and we need not wait
        )
        self._quick = redis.Redis.from_url(
            url,
            socket_timeout=LOOK_TIMEOUT,
            socket_connect_timeout=LOOK_TIMEOUT,
            health_check_interval=15,
            retry=Retry(NoBackoff(), 0),
        )

    @property
    def _looks(self) -> redis.Redis:
        """For short looks of those who have work in hand."""
        if self._quick is None:
            raise RuntimeError("the wake-up signal is not open: create_app() opens it")
        return self._quick

    @property
    def redis(self) -> redis.Redis:
        """The connection pool that everything of ours shares."""
        if self._redis is None:
            raise RuntimeError("the wake-up signal is not open: create_app() opens it")
        return self._redis

    def beat(self, name: str) -> None:
        """Say that a worker's process lives, for `HEARTBEAT_SECONDS`; of more than one, any."""
        now = time.monotonic()
        if now - self._beats.get(name, -HEARTBEAT_PAUSE) < HEARTBEAT_PAUSE:
            return
        self._beats[name] = now
        with contextlib.suppress(*FAULTS):
            self.redis.set(_HEARTBEAT + name, "1", ex=HEARTBEAT_SECONDS)

    def silent_workers(self) -> list[str]:
        """Return the processes of which none has beaten lately. Raises what redis-py raises."""
        beats = self.redis.mget([_HEARTBEAT + name for name in PROCESSES])
        return [name for name, beat in zip(PROCESSES, beats, strict=True) if beat is None]

    def count(self, key: str, field: str, number: int) -> None:
        """Add to a counter of all processes; a Redis that hangs is given LOOK_TIMEOUT."""
        self._ignoring_faults(lambda: self._looks.hincrby(key, field, number))

    def answers(self) -> bool:
        """Whether Redis answers and takes writes."""
        return not self.fault()

    def fault(self) -> str:
        """Return what is wrong with Redis in a few words, or "" if it takes writes."""
        try:
            self.redis.set(_ALIVE, "1", ex=BUSY_SECONDS)
        except redis.ReadOnlyError:
            # A new primary may stand behind the same address.
            self.redis.connection_pool.disconnect()
            self._looks.connection_pool.disconnect()
            return "takes no writes: it is a replica"
        except redis.OutOfMemoryError:
            return "takes no writes: its memory is used up"
        except FAULTS:
            return "does not answer"
        return ""

    def remind(self, queue: Queue) -> None:
        """Notify `queue` soon, from a background thread. Call it after the commit.

        The caller never waits for Redis; notifications of a few milliseconds
        share one round trip.
        """
        with self._condition:
            self._pending.add(queue)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._notify_pending, daemon=True, name="wakeup"
                )
                self._thread.start()
            self._condition.notify()

    def _notify_pending(self) -> None:
        while True:
            with self._condition:
                while not self._pending:
                    self._condition.wait()
                pending, self._pending = self._pending, set()
            for queue in pending:
                self.notify(queue)
            time.sleep(GATHER_SECONDS)

    def notify(self, queue: Queue, *, force: bool = False) -> bool:
        """Notify `queue` now. Returns False if Redis does not answer.

        With `force` another drain is enqueued although one is busy: the clock
        saw that work was left over, and a second worker may be idle.
        """
        try:
            is_busy = self.redis.eval(_NOTIFY, 2, _wakeup_list(queue), _busy_flag(queue))
            if not is_busy or force:
                self.enqueue_drain(queue)
        except FAULTS:
            self._note_fault()
            return False
        return True

    def enqueue_drain(self, queue: Queue) -> None:
        """Enqueue one more drain, unless one is queued already.

        Not by RQ's unique job ids: the hash of a job whose worker was killed
        stays for ever, and RQ would take the drain for queued.
        """
        rq_queue = rq.Queue(queue, connection=self.redis, serializer=JSONSerializer)
        if rq_queue.count:
            return
        rq_queue.enqueue(queue.job, job_timeout=-1, result_ttl=0, failure_ttl=0, ttl=60)

    def mark_busy(self, queue: Queue) -> None:
        """Say that a drain of `queue` is busy, and lives; at most one call a second reaches Redis.

        The caller has work in hand: it waits LOOK_TIMEOUT for a Redis that hangs, and not again
        for a second.
        """
        now = time.monotonic()
        if now - self._renewed.get(queue, 0.0) < 1 or now < self._away_until:
            return
        self._renewed[queue] = now

        def say_so() -> None:
            with self._looks.pipeline(transaction=False) as calls:
                calls.set(_busy_flag(queue), "1", ex=BUSY_SECONDS)
                calls.set(_HEARTBEAT + queue, "1", ex=HEARTBEAT_SECONDS)
                calls.execute()

        self._ignoring_faults(say_so)

    def wait(self, queue: Queue, seconds: float) -> bool:
        """Wait at most `seconds` for a notification. False if none came or Redis is away.

        With 0 it only looks. Who waits for so short has work in hand, and gives a Redis that
        hangs no more than LOOK_TIMEOUT. One that did not answer is not asked for a second.
        """
        if time.monotonic() < self._away_until:
            return False
        name = _wakeup_list(queue)
        if not seconds:
            return bool(self._ignoring_faults(lambda: self._looks.lpop(name)))
        client = self._looks if seconds < LOOK_TIMEOUT / 2 else self.redis
        return bool(self._ignoring_faults(lambda: client.blpop([name], timeout=seconds)))

    def mark_idle(self, queue: Queue) -> bool:
        """Remove the flag. Returns True if a notification came meanwhile: then go on working."""
        self._renewed.pop(queue, None)

        def remove_flag() -> Any:
            self.redis.delete(_busy_flag(queue))
            return self.redis.lpop(_wakeup_list(queue))

        return bool(self._ignoring_faults(remove_flag))

    def _ignoring_faults(self, call: Any) -> Any:
        try:
            return call()
        except FAULTS:
            self._note_fault()
            return None

    def _note_fault(self) -> None:
        self.faults += 1
        self._away_until = time.monotonic() + AWAY_SECONDS


def _wakeup_list(queue: Queue) -> str:
    return f"gatepost:wakeup:{queue}"


def _busy_flag(queue: Queue) -> str:
    return f"gatepost:busy:{queue}"
