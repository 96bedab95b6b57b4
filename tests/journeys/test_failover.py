"""A primary is demoted and its standby promoted: work waits quietly, and goes on by itself."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import psutil
import pytest
import requests

from tests.journeys.crowd import Sender, crowd
from tests.journeys.system import System, eventually
from tests.support.failover import Pair, pair_of

PEOPLE = 24
PARTS = ("inbox", "database")
QUIET_SECONDS = 6.0  # how long there is no primary
#: Five are promised after the new one is there; a busy machine may take longer.
BACK_SECONDS = 20.0
#: Of one core, for all processes of web and worker together, while they wait. It was 0.48
#: for a worker that tried again and again.
IDLE_SHARE = 0.3
#: Web has two processes, worker four: each may say once that something went, and came back.
PROCESSES = 6


@pytest.fixture(scope="module")
def pair(new_database: Any, postgresql_server: Any) -> Any:
    database = new_database("postgresql").url.partition("?")[0].rpartition("/")[2]
    with pair_of(postgresql_server, database) as pair:
        yield pair


@pytest.fixture(scope="module")
def system(pair: Pair, start_system: Any) -> System:
    return start_system("postgresql", DATABASE_URL=pair.url)


def cpu_seconds(system: System) -> float:
    total = 0.0
    for process in system.processes.values():
        parent = psutil.Process(process.pid)
        for one in (parent, *parent.children(recursive=True)):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def lines(system: System) -> list[dict[str, Any]]:
    return [json.loads(line) for line in system.log_text().splitlines() if line.startswith("{")]


def readiness(system: System) -> tuple[int, dict[str, Any]]:
    answer = requests.get(f"{system.url}/readyz", timeout=10)
    return answer.status_code, answer.json()


@pytest.mark.timeout(600)
def test_a_failover_is_waited_for_quietly_and_over_when_the_new_primary_is_there(
    pair: Pair, system: System, tracker: Any, record_property: Any
) -> None:
    key = system.account("owner")
    query = "status={status}&who={subscriber}"
    door = system.open_door(key, "901:the-token-of-bot-901", f"{tracker.url}/901/pb?{query}")
    before, during = crowd([door], PEOPLE), crowd([door], PEOPLE)
    Sender(system.port, before).finish()

    def reported() -> Counter[tuple[int, str]]:
        hits = tracker.log("/901/")
        return Counter((int(hit.query["who"]), hit.query["status"]) for hit in hits)

    def owed(*crowds: Any) -> Counter[tuple[int, str]]:
        members = [member for one in crowds for member in one]
        return Counter((one.person.id, status) for one in members for status in one.reports)

    eventually(lambda: reported() >= owed(before), 30, "the first postbacks")
    before_it = events(system)

    pair.demote()
    sender = Sender(system.port, during)
    sender.release(PEOPLE)
    eventually(lambda: sender.refusals[503] > 20, 30, "refusals")
    eventually(lambda: readiness(system)[0] == 503, 20, "readiness")
    assert "takes no writes" in readiness(system)[1]["faults"]["database"]
    time.sleep(1.0)  # what was on its way has met the fault by now
    began, used = time.monotonic(), cpu_seconds(system)
    time.sleep(QUIET_SECONDS)
    share = (cpu_seconds(system) - used) / (time.monotonic() - began)

    pair.promote()
    promoted = time.monotonic()
    accepted = len(sender.accepted)
    eventually(lambda: len(sender.accepted) > accepted, BACK_SECONDS, "the first stored update")
    stored = time.monotonic() - promoted
    sender.finish()
    eventually(lambda: reported() >= owed(before, during), BACK_SECONDS, "the last postback")
    finished = time.monotonic() - promoted
    eventually(lambda: readiness(system)[0] == 200, BACK_SECONDS, "readiness")
    eventually(lambda: is_over(events(system)), BACK_SECONDS, "the last line of the log")
    told = events(system) - before_it
    record_property("stored_after", stored)
    record_property("all_reported_after", finished)
    record_property("share_of_a_core", share)
    assert set(sender.refusals) == {503}
    assert reported() == owed(before, during)
    assert share < IDLE_SHARE
    assert set(told) <= {f"{part}.{change}" for part in PARTS for change in ("lost", "back")}
    assert max(told.values()) <= PROCESSES
    refused = [line["times"] for line in lines(system) if line["event"] == "inbox.back"]
    assert sum(refused) == sender.refusals[503]


def events(system: System) -> Counter[str]:
    return Counter(line["event"] for line in lines(system))


def is_over(told: Counter[str]) -> bool:
    """Whether whatever was lost is back, by the log."""
    return all(told[f"{part}.lost"] == told[f"{part}.back"] for part in PARTS)
