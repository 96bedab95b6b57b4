"""`kill -9` of anything, at any moment and at every named point: nothing lost, nothing doubled.

The tracker's own log is held against the tables, and the tables against the
sequential model of `crowd`. A repeated request is allowed only where a worker
died with it in hand; a trigger in the database counts exactly those.
"""

import random
import shlex
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from app.models import DecidedBy, RequestState
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from tests.journeys.chaos import Chaos
from tests.journeys.comparison import (
    RECLAIMS,
    UNFINISHED,
    compare_leads,
    compare_postbacks,
    compare_updates,
    settle,
)
from tests.journeys.crowd import Sender, crowd
from tests.journeys.system import System
from tests.support.waiting import eventually

SEED = 20_260_401
POINTS = (
    "updates.before_commit",
    "updates.after_commit",
    "updates.after_claim",
    "updates.after_send",
    "postbacks.after_claim",
    "postbacks.after_send",
    "postbacks.before_commit",
    "postbacks.after_commit",
)
DESK_POINTS = ("clock.after_claim", "clock.after_send")


def plan(chance: random.Random, **targets: int) -> list[str]:
    """So many strikes at each target, in a random order."""
    strikes = [name for name, times in targets.items() for _ in range(times)]
    chance.shuffle(strikes)
    return strikes


#: database, people, deaths at each named point, strikes at random moments
SIZES = [
    pytest.param(
        "postgresql", 500, 3,
        {"worker_child": 14, "worker": 3, "supervisor": 3, "web_child": 5, "web": 2, "redis": 6},
        id="2000 updates on postgresql",
    ),
    pytest.param(
        "sqlite", 50, 1, {"worker_child": 4, "worker": 1, "web_child": 1, "redis": 1},
        id="200 updates on sqlite",
    ),
]  # fmt: skip


@pytest.mark.timeout(1800)  # processes that start again and again, on a machine that may be busy
@pytest.mark.parametrize(("database", "size", "each", "strikes"), SIZES)
def test_whatever_is_killed_nothing_is_lost_or_doubled(
    *, start_system, tracker, database, size, each, strikes
):
    storm(start_system, tracker, database=database, size=size, each=each, strikes=strikes)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
def test_a_desk_that_is_killed_over_its_decisions_lets_everybody_in_once(
    start_system, bot_api, database
):
    system = start_system(
        database,
        worker=f"{shlex.quote(sys.executable)} tests/journeys/crashing_worker.py",
        LEASE_SECONDS="2",
        LOG_LEVEL="warning",
        CRASH_SEED=str(SEED),
        CRASH_EACH="3",
        CRASH_POINTS=",".join(DESK_POINTS),
        CRASH_VISITS="2",
        CRASH_SIGNAL=str(int(signal.SIGKILL)),
    )
    token = {"postgresql": "301:the-token-of-a-desk", "sqlite": "302:the-token-of-a-desk"}[database]
    door = system.open_door(system.account("owner"), token, "", desk="all")
    crowd = range(8_000_000_001, 8_000_000_031)
    (system.folder / "armed").touch()
    for person in crowd:
        bot_api.push(token, people.join_request(Person(person), door.chat))
    joined = f"SELECT count(*) FROM join_request WHERE state = {RequestState.JOINED:d}"  # noqa: S608
    eventually(lambda: system.one(joined) == len(crowd), 150, "everybody inside")
    kills = _deaths(system)
    assert all(kills[point] >= 2 for point in DESK_POINTS), kills
    calls = Counter(
        int(call.params["user_id"]) for call in bot_api.calls(token, "approveChatJoinRequest")
    )
    assert calls.keys() == set(crowd)
    joins = "SELECT subscriber, count(*) AS times FROM journal WHERE action = 1 GROUP BY subscriber"
    assert {row.subscriber: row.times for row in system.rows(joins)} == dict.fromkeys(crowd, 1)
    noted = "SELECT subscriber, count(*) AS times FROM journal WHERE action = 8 GROUP BY subscriber"
    eventually(lambda: len(system.rows(noted)) == len(crowd), 30, "every line of the journal")
    assert {row.subscriber: row.times for row in system.rows(noted)} == dict.fromkeys(crowd, 1)
    rows = system.rows("SELECT DISTINCT decided_by FROM join_request")
    assert [row.decided_by for row in rows] == [DecidedBy.RULE]


def storm(
    start_system: Any,
    tracker: Any,
    *,
    database: str,
    size: int,
    each: int,
    strikes: dict[str, int],
    progress: Callable[[int, int], None] = lambda kills, updates: None,
) -> None:
    """Send what `size` people do while things die, and hold the logs against the tables.

    `each` is how often a worker dies at each named point, `strikes` how often each part
    is killed at random. `progress` hears how many kills and updates there were.
    """
    chance = random.Random(SEED)
    tracker.reset()
    system = start_system(
        database,
        worker=f"{shlex.quote(sys.executable)} tests/journeys/crashing_worker.py",
        LEASE_SECONDS="2",
        WORKERS="2",
        LOG_LEVEL="warning",
        CRASH_SEED=str(SEED),
        CRASH_EACH=str(each),
        CRASH_POINTS=",".join(POINTS),
        CRASH_VISITS="2",
        CRASH_SIGNAL=str(int(signal.SIGKILL)),
    )
    system.execute("CREATE TABLE reclaim (postback_id bigint)", RECLAIMS[database])
    key = system.account("owner")
    query = "click={click}&status={status}&who={subscriber}&eid={event_id}"
    doors = [
        system.open_door(key, f"{number}:the-token-of-a-bot-{number}", f"{tracker.url}/pb?{query}")
        for number in range(101, 110)
    ]
    members = crowd(doors, size)
    sender = Sender(system.port, members)

    kills = _rampage(system, sender, plan(chance, **strikes), chance, progress)
    settle(system)

    # The crowd may be through before the last worker has come by its point once more.
    least = max(1, each - 1)
    assert all(kills[point] >= least for point in POINTS), kills
    assert kills.total() >= least * len(POINTS) + sum(strikes.values())
    compare_updates(system, sender)
    compare_leads(system, members)
    compare_postbacks(system, tracker, members)


def _rampage(
    system: System,
    sender: Sender,
    strikes: list[str],
    chance: random.Random,
    progress: Callable[[int, int], None],
) -> Counter[str]:
    """Send and kill, side by side. Returns how often each thing and point was hit."""
    (system.folder / "armed").touch()
    chaos = Chaos(system, chance)
    released = 0
    for target in strikes:
        released += sender.release(sender.total // (2 * len(strikes)))
        time.sleep(chance.uniform(0.05, 0.4))
        chaos.strike(target)
        progress(len(chaos.kills) + _deaths(system).total(), released)
    wanted = int(system.environ["CRASH_EACH"]) * len(POINTS)
    while released < sender.total and _deaths(system).total() < wanted:
        released += sender.release(min(25, sender.total // 100))
        time.sleep(0.1)
        _await_quiet(system, 20.0)  # only then is anything sent at once by who decides it
        progress(len(chaos.kills) + _deaths(system).total(), released)
    sender.finish()
    (system.folder / "armed").unlink()
    return Counter(chaos.kills) + _deaths(system)


def _await_quiet(system: System, seconds: float) -> None:
    """Wait until nothing is to be processed or sent, or these seconds are over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(system.one(query) for query in UNFINISHED):
        time.sleep(0.05)


def _deaths(system: System) -> Counter[str]:
    book = system.folder / "deaths"
    lines = book.read_text().splitlines() if book.exists() else []
    return Counter(line.split()[0] for line in lines)
