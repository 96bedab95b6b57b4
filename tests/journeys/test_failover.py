"""A primary is demoted and its standby promoted: work waits quietly, and goes on by itself."""

import subprocess
import sys
import time
from collections import Counter
from typing import Any

import pytest

from tests.journeys.crowd import Sender, crowd
from tests.journeys.system import System
from tests.journeys.watching import (
    PROCESSES,
    cpu_seconds_while_waiting,
    events,
    is_over,
    lines,
    readiness,
)
from tests.support import ROOT
from tests.support.failover import Pair, pair_of
from tests.support.waiting import eventually

PEOPLE = 24
PARTS = ("inbox", "database")
QUIET_SECONDS = 6.0  # how long there is no primary
#: How often updates are refused after the new primary takes writes, before the first is stored:
#: eight senders try ten times a second for five seconds, and less often on a busy machine.
REFUSED_AT_MOST = 400
#: For what has to come true some time, on a busy machine.
PATIENCE = 60.0
#: CPU time of web and worker together for each second of waiting. Measured 0.06; it was
#: 0.48 for a worker that tried again and again.
IDLE_SHARE = 0.2


@pytest.fixture(scope="module")
def pair(new_database: Any, postgresql_server: Any) -> Any:
    database = new_database("postgresql").url.partition("?")[0].rpartition("/")[2]
    with pair_of(postgresql_server, database) as pair:
        yield pair


@pytest.fixture(scope="module")
def system(pair: Pair, start_system: Any) -> System:
    return start_system("postgresql", DATABASE_URL=pair.url)


def doctor(system: System) -> str:
    """What `flask doctor` finds."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"]
    process = subprocess.run(
        command, cwd=ROOT, env=system.environ, capture_output=True, text=True, check=False
    )
    assert process.returncode != 0
    return process.stdout


@pytest.mark.timeout(1200)
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
    assert "takes no writes" in doctor(system)
    share = cpu_seconds_while_waiting(system, QUIET_SECONDS) / QUIET_SECONDS

    accepted = len(sender.accepted)
    pair.promote()  # it ends when the standby takes writes
    promoted, refused_before = time.monotonic(), sender.refusals[503]
    eventually(lambda: len(sender.accepted) > accepted, PATIENCE, "the first stored update")
    stored, refused_since = time.monotonic() - promoted, sender.refusals[503] - refused_before
    sender.finish()
    eventually(lambda: reported() >= owed(before, during), PATIENCE, "the last postback")
    finished = time.monotonic() - promoted
    eventually(lambda: readiness(system)[0] == 200, PATIENCE, "readiness")
    eventually(lambda: is_over(events(system), PARTS), PATIENCE, "the last line of the log")
    told = events(system) - before_it
    record_property("stored_after", stored)
    record_property("all_reported_after", finished)
    record_property("share_of_a_core", share)
    assert set(sender.refusals) == {503}
    assert reported() == owed(before, during)
    assert refused_since <= REFUSED_AT_MOST
    assert share < IDLE_SHARE
    parts = (*PARTS, "tallies.fold")
    assert set(told) <= {f"{part}.{change}" for part in parts for change in ("lost", "back")}
    assert max(told.values()) <= PROCESSES
    refused = [line["times"] for line in lines(system) if line["event"] == "inbox.back"]
    assert sum(refused) == sender.refusals[503]
