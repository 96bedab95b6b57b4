"""Queues and the doorbell: how a process says that there is work.

A reminder is worth nothing by itself: the rows in the database are the work,
and the clock finds them every second. So every fault of Redis is swallowed
here, and counted.

Each queue has a bell (a Redis list of at most one entry) and a flag that says
a drain is awake. Ringing pushes the bell and reads the flag in one atomic
step; only if no drain is awake an RQ job is queued. A drain drops its flag
before it looks at the bell for the last time, so no ring falls between.
"""

from __future__ import annotations

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

AWAKE_SECONDS: Final = 3  # a drain renews its flag more often than this
GATHER_SECONDS: Final = 0.003  # reminders that come this close are one round trip
_RING: Final = """
    redis.call('LPUSH', KEYS[1], '1')
    redis.call('LTRIM', KEYS[1], 0, 0)
    return redis.call('EXISTS', KEYS[2])
"""
FAULTS = (redis.RedisError, OSError)


class Doorbell:
    """Rings for work and waits for rings. Unbound until `open`."""

    def __init__(self) -> None:
        self._redis: redis.Redis | None = None
        self._wanted: set[Queue] = set()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._renewed: dict[Queue, float] = {}
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

    @property
    def redis(self) -> redis.Redis:
        """The connection pool that everything of ours shares."""
        if self._redis is None:
            raise RuntimeError("the doorbell is not open: create_app() opens it")
        return self._redis

    def answers(self) -> bool:
        """Whether Redis is there."""
        try:
            return bool(self.redis.ping())
        except FAULTS:
            return False

    def remind(self, queue: Queue) -> None:
        """Say soon, from a thread of its own, that `queue` has work.

        The caller never waits for Redis, and the reminders of a few
        milliseconds travel together. Call it after the commit.
        """
        with self._wake:
            self._wanted.add(queue)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._ring_on, daemon=True, name="doorbell")
                self._thread.start()
            self._wake.notify()

    def _ring_on(self) -> None:
        while True:
            with self._wake:
                while not self._wanted:
                    self._wake.wait()
                wanted, self._wanted = self._wanted, set()
            for queue in wanted:
                self.ring(queue)
            time.sleep(GATHER_SECONDS)  # who rings meanwhile shares the next round trip

    def ring(self, queue: Queue, *, help_wanted: bool = False) -> bool:
        """Ring now. False if Redis is away.

        With `help_wanted` another drain is called although one is awake: the
        clock saw that work was left over, and a second worker may be idle.
        """
        try:
            is_awake = self.redis.eval(_RING, 2, _bell(queue), _awake(queue))
            if not is_awake or help_wanted:
                self.call_for_help(queue)
        except FAULTS:
            self.faults += 1
            return False
        return True

    def call_for_help(self, queue: Queue) -> None:
        """Queue one more drain, unless one waits in line already.

        Not by RQ's unique job ids: the hash of a job whose worker was killed
        stays for ever, and with it the belief that a drain is queued.
        """
        line = rq.Queue(queue, connection=self.redis, serializer=JSONSerializer)
        if line.count:
            return
        line.enqueue(queue.job, job_timeout=-1, result_ttl=0, failure_ttl=0, ttl=60)

    def awake(self, queue: Queue) -> None:
        """Say that a drain of `queue` is at work. Call it as often as you like."""
        now = time.monotonic()
        if now - self._renewed.get(queue, 0.0) < 1:
            return
        self._renewed[queue] = now
        self._quietly(lambda: self.redis.set(_awake(queue), "1", ex=AWAKE_SECONDS))

    def wait(self, queue: Queue, seconds: float) -> bool:
        """Wait for a ring. False if none came, or Redis is away."""
        return bool(self._quietly(lambda: self.redis.blpop([_bell(queue)], timeout=seconds)))

    def asleep(self, queue: Queue) -> bool:
        """Drop the flag. True if someone rang meanwhile: then go on working."""
        self._renewed.pop(queue, None)

        def drop() -> Any:
            self.redis.delete(_awake(queue))
            return self.redis.lpop(_bell(queue))

        return bool(self._quietly(drop))

    def _quietly(self, call: Any) -> Any:
        try:
            return call()
        except FAULTS:
            self.faults += 1
            return None


def _bell(queue: Queue) -> str:
    return f"gatepost:bell:{queue}"


def _awake(queue: Queue) -> str:
    return f"gatepost:awake:{queue}"
