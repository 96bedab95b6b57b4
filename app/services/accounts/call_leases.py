"""Leases on calls that last, in Redis: all web processes count together.

A lease ends by itself when its process dies: it lasts for `LEASE_SECONDS` and is renewed while
its call goes on. While Redis is away nothing is leased, and each process counts by itself.
"""

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import redis

from app.extensions import wakeup
from app.queues import FAULTS
from app.token_buckets import AWAY_SECONDS

LEASE_SECONDS: Final = 30.0
RENEW_SECONDS: Final = 10.0

# Members are `caller|random`, scores when they end by the clock of Redis.
_NOW: Final = "local time = redis.call('TIME') local now = time[1] + time[2] / 1000000\n"
_ACQUIRE: Final = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local members = redis.call('ZRANGE', KEYS[1], 0, -1)
local prefix, count = ARGV[1] .. '|', 0
for _, member in ipairs(members) do
    if string.sub(member, 1, #prefix) == prefix then count = count + 1 end
end
if count >= tonumber(ARGV[3]) or #members >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[5], prefix .. ARGV[2])
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[5]))
return 1
"""
)
_RENEW: Final = (
    _NOW
    + """
for index = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[index]) end
redis.call('EXPIRE', KEYS[1], math.ceil(ARGV[1]))
"""
)


class AskedRedis:
    """Redis for what a process can do without: after a fault it is left alone for a while."""

    def __init__(self, shared: Callable[[], redis.Redis]) -> None:
        self._shared = shared
        self._away_until = -math.inf

    def ask(self, question: Callable[[redis.Redis], Any]) -> Any:
        """Return the answer, or None while Redis is away; then it is not asked for a while."""
        if time.monotonic() < self._away_until:
            return None
        try:
            return question(self._shared())
        except FAULTS:
            self._away_until = time.monotonic() + AWAY_SECONDS
            return None


class CallLeases:
    """The leases of one limit, as one process sees them. `name` goes into its key in Redis."""

    def __init__(self, name: str, shared: Callable[[], redis.Redis] = lambda: wakeup.redis) -> None:
        self._key = f"gatepost:calls:{name}"
        self._redis = AskedRedis(shared)
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._is_renewing = False

    def acquire(self, caller: object, per_caller: int, in_all: int) -> str | None:
        """Lease a call. Returns the lease, "" if Redis is away, or None if there is no room."""
        token = secrets.token_hex(8)
        arguments = [str(caller), token, per_caller, in_all, LEASE_SECONDS]
        granted = self._ask(_ACQUIRE, arguments)
        if granted is None:
            return ""
        if not granted:
            return None
        lease = f"{caller}|{token}"
        with self._lock:
            self._held.add(lease)
            starts, self._is_renewing = not self._is_renewing, True
        if starts:
            threading.Thread(target=self._keep, name="call leases", daemon=True).start()
        return lease

    def release(self, lease: str) -> None:
        """End a lease. What Redis does not hear of ends by itself."""
        if lease:
            with self._lock:
                self._held.discard(lease)
            self._remove([lease])

    def renew(self) -> bool:
        """Let the leases that are held last longer. False if none is."""
        with self._lock:
            held = set(self._held)
            self._is_renewing = bool(held)
        if held:
            self._ask(_RENEW, [LEASE_SECONDS, *held])
            with self._lock:
                ended = held - self._held
            if ended:  # while they were renewed
                self._remove(ended)
        return bool(held)

    def _keep(self) -> None:
        time.sleep(RENEW_SECONDS)
        while self.renew():
            time.sleep(RENEW_SECONDS)

    def _remove(self, leases: Iterable[str]) -> None:
        self._redis.ask(lambda client: client.zrem(self._key, *leases))

    def _ask(self, script: str, arguments: list[Any]) -> Any:
        return self._redis.ask(lambda client: client.eval(script, 1, self._key, *arguments))
