"""Redis answers, and takes no writes: work goes on by the clock, quietly, and nothing is lost."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis

from tests.journeys.crowd import Member, Sender, crowd
from tests.journeys.system import System
from tests.journeys.watching import (
    PROCESSES,
    cpu_seconds_while_waiting,
    events,
    is_over,
    readiness,
)
from tests.support.waiting import eventually

QUIET_SECONDS = 6.0
PATIENCE = 60.0
#: CPU time of web and worker together for each second. Spinning workers took 0.48.
IDLE_SHARE = 0.1
REFUSALS = {
    "full": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "read-only": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
}


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("postgresql")


@contextmanager
def refusing(system: System, kind: str) -> Iterator[None]:
    """Redis takes no writes within this block."""
    begin, end = REFUSALS[kind]
    with redis.Redis.from_url(system.redis.url) as connection:
        connection.execute_command(*begin)
        try:
            yield
        finally:
            connection.execute_command(*end)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("kind", "number"), [("full", 951), ("read-only", 952)])
def test_a_redis_without_writes_costs_no_work_and_hardly_any_cpu(
    system: System, tracker: Any, record_property: Any, kind: str, number: int
) -> None:
    key = system.account(f"owner{number}")
    query = "status={status}&who={subscriber}"
    door = system.open_door(
        key, f"{number}:the-token-of-bot-{number}", f"{tracker.url}/{number}/pb?{query}"
    )
    before, during, after = (crowd([door], 8) for _ in range(3))

    def reported() -> Counter[tuple[int, str]]:
        hits = tracker.log(f"/{number}/")
        return Counter((int(hit.query["who"]), hit.query["status"]) for hit in hits)

    def owed(*crowds: list[Member]) -> Counter[tuple[int, str]]:
        members = [member for members in crowds for member in members]
        return Counter((member.person.id, word) for member in members for word in member.reports)

    Sender(system.port, before).finish()
    eventually(lambda: reported() >= owed(before), PATIENCE, "the first postbacks")
    before_it = events(system)
    with refusing(system, kind):
        sender = Sender(system.port, during)
        sender.finish()
        assert not sender.refusals
        eventually(lambda: reported() >= owed(before, during), PATIENCE, "postbacks meanwhile")
        fault = "takes no writes"
        eventually(lambda: fault in str(readiness(system)[1]), PATIENCE, "readiness")
        seconds = cpu_seconds_while_waiting(system, QUIET_SECONDS)
    Sender(system.port, after).finish()
    eventually(lambda: reported() >= owed(before, during, after), PATIENCE, "the last postback")
    eventually(lambda: readiness(system)[0] == 200, PATIENCE, "readiness")
    eventually(lambda: is_over(events(system), ("redis",)), PATIENCE, "the last line of the log")
    logged = events(system) - before_it
    record_property("cpu_seconds", seconds)
    record_property("logged", str(dict(logged)))
    assert reported() == owed(before, during, after)
    assert seconds < IDLE_SHARE * QUIET_SECONDS
    assert set(logged) <= {"redis.lost", "redis.back", "worker.interrupted"}
    assert max(logged.values(), default=0) <= PROCESSES
