"""A drain that the database refuses waits, and says so once."""

import time
from types import SimpleNamespace

import pytest
import structlog
from sqlalchemy import text

from app import jobs
from app.extensions import db
from app.models import Export, ExportState
from app.queues import Queue


@pytest.mark.parametrize("queue", Queue)
def test_a_refusing_database_is_logged_when_it_goes_and_when_it_is_back(live_app, queue):
    def refused(*_):
        db.session.execute(text("SELECT no_such_column FROM account"))
        return 0

    with structlog.testing.capture_logs() as lines:
        for _ in range(5):
            jobs._drain(queue, refused)
        jobs._drain(queue, lambda *_: 0)
    assert [line["event"] for line in lines] == ["database.lost", "database.back"]
    assert "no_such_column" in lines[0]["error"]


@pytest.mark.parametrize("queue", [Queue.UPDATES, Queue.POSTBACKS])
def test_who_has_answers_in_hand_tries_again_until_they_are_settled(live_app, queue, monkeypatch):
    monkeypatch.setattr(jobs, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "LINGER_SECONDS", 0.0)
    delivery = SimpleNamespace(is_under_way=True)
    monkeypatch.setitem(jobs._deliveries, queue, delivery)
    tries = []

    def refused_twice(*_):
        tries.append(len(tries))
        if len(tries) < 3:
            db.session.execute(text("SELECT no_such_column FROM account"))
        delivery.is_under_way = False
        return 0

    jobs._drain(queue, refused_twice)
    assert tries == [0, 1, 2]


class NeverWaitedFor:
    """Stands for `stopping`: whoever waits for it in the thread of signals may wait for ever.

    The handler runs there, and sets what that thread has just locked.
    """

    def __init__(self) -> None:
        self.is_asked = False

    def is_set(self) -> bool:
        return self.is_asked


@pytest.mark.parametrize("queue", [Queue.UPDATES, Queue.POSTBACKS])
def test_who_is_told_to_stop_with_answers_in_hand_still_tries_to_settle_them(
    live_app, queue, monkeypatch
):
    monkeypatch.setattr(jobs, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "LINGER_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "stopping", NeverWaitedFor())
    delivery = SimpleNamespace(is_under_way=True)
    monkeypatch.setitem(jobs._deliveries, queue, delivery)
    tries = []

    def refused_twice(*_):
        tries.append(len(tries))
        jobs.stopping.is_asked = True
        if len(tries) < 3:
            db.session.execute(text("SELECT no_such_column FROM account"))
        delivery.is_under_way = False
        return 0

    jobs._drain(queue, refused_twice)
    assert tries == [0, 1, 2]


def test_who_is_told_to_stop_and_cannot_settle_ends_in_time_all_the_same(live_app, monkeypatch):
    monkeypatch.setattr(jobs, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "LAST_SECONDS", 0.0)
    monkeypatch.setattr(jobs, "stopping", NeverWaitedFor())
    monkeypatch.setitem(jobs._deliveries, Queue.UPDATES, SimpleNamespace(is_under_way=True))

    def refused(*_):
        jobs.stopping.is_asked = True
        db.session.execute(text("SELECT no_such_column FROM account"))
        return 0

    jobs._drain(Queue.UPDATES, refused)
    assert jobs._attempted(lambda *_: 0, 0.0, lambda: None)  # the next test begins in good health


def test_what_the_clock_has_under_way_itself_it_finishes_when_redis_is_back(app, monkeypatch):
    """It sends while Redis is away; a fault of the database then leaves answers in its hand."""
    finished = []
    delivery = SimpleNamespace(is_under_way=True, finish=lambda *_: finished.append(1))
    monkeypatch.setitem(jobs._deliveries, Queue.POSTBACKS, delivery)
    monkeypatch.setitem(jobs._deliveries, Queue.UPDATES, SimpleNamespace(is_under_way=False))
    jobs.sweep()
    assert finished == [1]


def test_a_network_that_fails_is_told_once_and_waited_for(live_app):
    def unreachable(*_):
        raise ConnectionResetError

    with structlog.testing.capture_logs() as lines:
        for _ in range(5):
            jobs._drain(Queue.UPDATES, unreachable)
        jobs._drain(Queue.UPDATES, lambda *_: 0)
    assert [line["event"] for line in lines] == ["network.lost", "network.back"]


def test_a_fault_of_ours_is_not_taken_for_the_databases(live_app):
    def broken(*_):
        raise KeyError("ours")

    with pytest.raises(KeyError):
        jobs._drain(Queue.UPDATES, broken)


def test_a_file_is_written_when_the_clock_has_seen_it(app, account):
    """Web processes ask for it, and the one that writes is woken by its own clock."""
    jobs.write_exports()  # nothing is left of other tests
    asked = {"account_id": account.id, "kind": 0, "query": "", "filters": "{}", "zone": "UTC"}
    db.session.add(row := Export(created=time.time(), **asked))
    db.session.commit()
    jobs.write_exports()
    assert db.session.get_one(Export, row.id, populate_existing=True).state == ExportState.WRITING
    jobs.sweep()
    jobs.write_exports()
    assert db.session.get_one(Export, row.id, populate_existing=True).state == ExportState.READY
