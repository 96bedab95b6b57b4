"""What is wrong with Redis is said, and a Redis that takes no writes counts as away."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import queues
from app.local.redis_server import EmbeddedRedis
from app.queues import Queue, WakeupSignal


@pytest.fixture
def own_redis(short_folder: Path) -> Iterator[EmbeddedRedis]:
    folder = short_folder / "queues"
    folder.mkdir(exist_ok=True)
    with EmbeddedRedis(folder) as server:
        yield server


@pytest.fixture
def wakeup(own_redis: EmbeddedRedis) -> Iterator[WakeupSignal]:
    signal = WakeupSignal()
    signal.open(own_redis.url)
    yield signal
    signal.redis.close()


def test_a_redis_that_takes_writes_has_no_fault(wakeup):
    assert wakeup.fault() == ""
    assert wakeup.answers()


def test_a_replica_takes_no_writes_until_it_is_a_primary_again(wakeup):
    wakeup.redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    assert "replica" in wakeup.fault()
    assert not wakeup.notify(Queue.UPDATES)
    wakeup.redis.execute_command("REPLICAOF", "NO", "ONE")
    assert wakeup.answers()


def test_a_full_redis_takes_no_writes_until_it_has_memory(wakeup):
    wakeup.redis.config_set("maxmemory-policy", "noeviction")
    wakeup.redis.config_set("maxmemory", 1)
    assert "memory" in wakeup.fault()
    wakeup.redis.config_set("maxmemory", 0)
    assert wakeup.answers()


def test_a_killed_redis_does_not_answer(wakeup, own_redis):
    own_redis.stop(kill=True)
    assert wakeup.fault() == "does not answer"
    own_redis.start()


def test_a_look_for_notifications_takes_one_and_waits_for_none(wakeup):
    assert not wakeup.wait(Queue.UPDATES, 0.0)
    assert wakeup.notify(Queue.UPDATES)
    assert wakeup.wait(Queue.UPDATES, 0.0)
    assert not wakeup.wait(Queue.UPDATES, 0.0)


def test_a_redis_that_did_not_answer_is_not_asked_again_at_once(wakeup, own_redis, monkeypatch):
    """Each call of one that hangs takes seconds."""
    monkeypatch.setattr(queues, "AWAY_SECONDS", 1000.0)
    own_redis.stop(kill=True)
    assert not wakeup.notify(Queue.UPDATES)
    own_redis.start()
    assert wakeup.notify(Queue.UPDATES)
    assert not wakeup.wait(Queue.UPDATES, 0.0)
    wakeup._away_until = 0.0
    assert wakeup.wait(Queue.UPDATES, 0.0)


def test_processes_that_give_no_sign_are_named(wakeup):
    assert wakeup.silent_workers() == [queues.CLOCK, *Queue]
    for name in (queues.CLOCK, Queue.UPDATES):
        wakeup.beat(name)
    assert wakeup.silent_workers() == [Queue.POSTBACKS, Queue.MESSAGES]
    assert 0 < wakeup.redis.ttl("gatepost:heartbeat:clock") <= queues.HEARTBEAT_SECONDS


def test_a_drain_that_takes_minutes_gives_signs_meanwhile(wakeup):
    wakeup.mark_busy(Queue.POSTBACKS)
    assert Queue.POSTBACKS not in wakeup.silent_workers()


def test_a_sign_is_given_once_in_a_few_seconds(wakeup):
    wakeup.beat(Queue.UPDATES)
    wakeup.redis.delete("gatepost:heartbeat:updates")
    wakeup.beat(Queue.UPDATES)
    assert Queue.UPDATES in wakeup.silent_workers()
