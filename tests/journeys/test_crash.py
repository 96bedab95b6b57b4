"""`kill -9` of anything, at any moment and at every named point: nothing lost, nothing doubled.

The tracker's own log is held against the tables, and the tables against the
sequential model of `crowd`. A repeated request is allowed only where a worker
died with it in hand; a trigger in the database counts exactly those.
"""

from __future__ import annotations

import random
import shlex
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from app.models import DecidedBy, PostbackState, RequestState, UpdateState
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from tests.journeys.crowd import Member, Sender, crowd
from tests.journeys.system import Chaos, System, eventually

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
#: Count updates that are to be processed, and postbacks that are to be sent.
UNFINISHED = (
    f"SELECT count(*) FROM telegram_update WHERE state = {UpdateState.WAITING:d}",  # noqa: S608 - constants
    f"SELECT count(*) FROM postback WHERE state <= {PostbackState.SENDING:d}",  # noqa: S608 - constants
)
#: Writes down each postback whose holder did not come back.
RECLAIMS = {
    "postgresql": """
        CREATE FUNCTION note_reclaim() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO reclaim VALUES (OLD.id); RETURN NULL; END $$;
        CREATE TRIGGER reclaimed AFTER UPDATE ON postback FOR EACH ROW
            WHEN (OLD.state = 1 AND NEW.state = 0 AND OLD.tries = NEW.tries
                AND OLD.lease_until < extract(epoch FROM clock_timestamp()))
            EXECUTE FUNCTION note_reclaim()
    """,
    "sqlite": """
        CREATE TRIGGER reclaimed AFTER UPDATE ON postback
            WHEN OLD.state = 1 AND NEW.state = 0 AND OLD.tries = NEW.tries
                AND OLD.lease_until < (julianday('now') - 2440587.5) * 86400
            BEGIN INSERT INTO reclaim VALUES (OLD.id); END
    """,
}


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


@pytest.mark.timeout(400)  # processes that start again and again, on a machine that may be busy
@pytest.mark.parametrize(("database", "size", "each", "strikes"), SIZES)
def test_whatever_is_killed_nothing_is_lost_or_doubled(
    *, start_system, tracker, database, size, each, strikes
):
    storm(start_system, tracker, database=database, size=size, each=each, strikes=strikes)


@pytest.mark.timeout(300)
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
    _settle(system)

    # The crowd may be through before the last worker has come by its point once more.
    least = max(1, each - 1)
    assert all(kills[point] >= least for point in POINTS), kills
    assert kills.total() >= least * len(POINTS) + sum(strikes.values())
    _compare_updates(system, sender)
    _compare_leads(system, members)
    _compare_postbacks(system, tracker, members)


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
        _await_quiet(system, 3.0)  # only then is anything sent at once by who decides it
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


def _settle(system: System) -> None:
    inbox, outbox = UNFINISHED
    eventually(lambda: not system.one(inbox), 40, "the end of the inbox")
    eventually(lambda: not system.one(outbox), 40, "the end of the outbox")


def _compare_updates(system: System, sender: Sender) -> None:
    ids = {posted.update_id for posted in sender.accepted}
    stored = {row.update_id: row.state for row in system.rows("SELECT * FROM telegram_update")}
    assert len(ids) == sender.total
    assert {stored.get(one) for one in ids} == {UpdateState.DONE}
    assert set(sender.refusals) <= {0, 503}


def _compare_leads(system: System, members: list[Member]) -> None:
    found = {
        row.subscriber: {name: getattr(row, name) for name in members[0].lead()}
        for row in system.rows("SELECT * FROM lead")
    }
    assert found == {member.person.id: member.lead() for member in members}
    journaled = "SELECT count(*) FROM journal WHERE subscriber >= 7000000001"
    assert system.one(journaled) == sum(len(member.script) for member in members)


def _compare_postbacks(system: System, tracker: Any, members: list[Member]) -> None:
    rows = system.rows(
        "SELECT p.id, p.state, p.kind, p.sequence, l.subscriber, c.code, p.lead_id FROM postback p"
        " JOIN lead l ON l.id = p.lead_id JOIN campaign c ON c.id = p.campaign_id"
    )
    assert {row.state for row in rows} == {PostbackState.DELIVERED}
    owed = {(m.person.id, n, kind) for m in members for n, kind in enumerate(m.reports, 1)}
    assert {(row.subscriber, row.sequence, row.kind) for row in rows} == owed
    assert len(rows) == len(owed)

    hits = tracker.log("/pb")
    by_event = defaultdict(list)
    for hit in hits:
        by_event[hit.query["eid"]].append(hit)
    ids = {f"{row.code}-{row.lead_id}-{row.sequence}": row.id for row in rows}
    assert by_event.keys() == ids.keys(), "lost, or sent without a row"

    reclaims = Counter(row[0] for row in system.rows("SELECT postback_id FROM reclaim"))
    for event, same in by_event.items():
        assert len({(hit.url, hit.idempotency_key) for hit in same}) == 1
        assert len(same) <= 1 + reclaims[ids[event]]
    doubles = len(hits) - len(by_event)
    assert doubles <= reclaims.total()
    for member in members:
        heard = [hit for hit in hits if hit.query["who"] == str(member.person.id)]
        first = list(dict.fromkeys(hit.query["eid"] for hit in heard))
        said = {hit.query["eid"]: hit.query["status"] for hit in heard}
        assert [said[event] for event in first] == member.reports, "out of order"
