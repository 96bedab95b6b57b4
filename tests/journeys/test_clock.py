"""The clock of the workers' machine is set by an hour, back and forth, while they work."""

import shlex
import sys
from collections import Counter
from typing import Any

import pytest

from tests.journeys.crowd import Member, Sender, crowd
from tests.journeys.system import System
from tests.support.waiting import eventually

HOUR = 3600
QUERY = "status={status}&who={subscriber}&eid={event_id}"


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def system(request, start_system) -> System:
    line = f"{shlex.quote(sys.executable)} tests/journeys/jumping_worker.py"
    return start_system(request.param, worker=line)


def events(tracker: Any, number: int) -> Counter[tuple[int, str]]:
    """Of how many events the tracker heard, by person and status: one key is one event."""
    hits = tracker.log(f"/{number}/")
    keys = {(int(hit.query["who"]), hit.query["status"], hit.query["eid"]) for hit in hits}
    return Counter((who, status) for who, status, _ in keys)


def owed(members: list[Member]) -> Counter[tuple[int, str]]:
    return Counter((one.person.id, status) for one in members for status in one.reports)


def test_nothing_is_lost_or_goes_out_under_two_keys(system, key, tracker, request):
    number = 301 if "postgresql" in request.node.name else 302
    door = system.open_door(key, f"{number}:the-token-of-bot", f"{tracker.url}/{number}/pb?{QUERY}")
    members: list[Member] = []

    def send(wrong: int) -> Sender:
        members.extend(part := crowd([door], 12))
        sender = Sender(system.port, part)
        (system.folder / "clock").write_text(str(wrong))
        return sender

    def all_arrive() -> None:
        eventually(lambda: events(tracker, number) >= owed(members), 30, "the last postback")

    for wrong in (-HOUR, 0, HOUR):  # each time amid what is on its way
        send(wrong).finish()
    all_arrive()
    send(0).finish()  # what was written by the clock of an hour later is in nobody's way
    all_arrive()
    assert events(tracker, number) == owed(members)
    span = system.one("SELECT max(created) - min(created) FROM postback")
    assert span > 2 * HOUR - 600, "the clock was never set"
