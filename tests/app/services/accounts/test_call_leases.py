"""Calls are leased over all web processes, and the leases of a dead process end."""

import pytest
import redis

from app.services.accounts import call_leases
from app.services.accounts.call_leases import AskedRedis, CallLeases
from tests.support.waiting import free_port

KEY = "gatepost:calls:tests"


@pytest.fixture
def process(clean_redis):
    """`process()`: the leases as another web process sees them."""
    return lambda: CallLeases("tests", lambda: clean_redis)


def test_all_processes_count_together_by_caller_and_in_all(process):
    first, second = process(), process()
    assert first.acquire(1, 2, 3)
    assert second.acquire(1, 2, 3)
    assert first.acquire(1, 2, 3) is None
    assert second.acquire(1, 2, 3) is None
    assert second.acquire(11, 2, 3)  # no caller is counted for another whose name begins alike
    assert first.acquire(2, 2, 3) is None


def test_what_is_released_makes_room_in_every_process(process):
    first, second = process(), process()
    lease = first.acquire(1, 1, 9)
    first.release(lease)
    assert second.acquire(1, 1, 9)


def test_the_leases_of_a_process_that_died_end(process, clean_redis):
    assert process().acquire(1, 1, 9)  # and nobody renews it
    (member,) = clean_redis.zrange(KEY, 0, -1)
    left = clean_redis.zscore(KEY, member) - clean_redis.time()[0]
    assert left <= call_leases.LEASE_SECONDS + 1
    assert process().acquire(1, 1, 9) is None
    clean_redis.zadd(KEY, {member: 1.0})  # its time is over
    assert process().acquire(1, 1, 9)


def test_a_call_that_goes_on_keeps_its_lease_also_when_redis_forgot_it(process, clean_redis):
    holder = process()
    lease = holder.acquire(1, 1, 9)
    clean_redis.flushall()
    assert holder.renew()
    assert process().acquire(1, 1, 9) is None
    holder.release(lease)
    assert not holder.renew()
    assert process().acquire(1, 1, 9)


def test_without_redis_nothing_is_refused(process):
    gone = redis.Redis(port=free_port(), socket_connect_timeout=0.5)
    leases = CallLeases("tests", lambda: gone)
    assert leases.acquire(1, 1, 1) == ""
    assert leases.acquire(1, 1, 1) == ""
    leases.release("")


def test_after_a_fault_redis_is_asked_again_only_after_a_while(monkeypatch):
    asked = []

    def away():
        asked.append(1)
        raise redis.ConnectionError

    mine = AskedRedis(away)
    assert [mine.ask(lambda client: client.ping()) for _ in range(2)] == [None, None]
    assert len(asked) == 1
    monkeypatch.setitem(AskedRedis.ask.__globals__, "AWAY_SECONDS", 0.0)
    mine = AskedRedis(away)
    assert [mine.ask(lambda client: client.ping()) for _ in range(2)] == [None, None]
    assert len(asked) == 3
