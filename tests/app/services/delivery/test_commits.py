"""Transactions in line and aside: committed before their result, rolled back if they fail."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import Destination
from app.services.delivery.commits import Commits, CommitsAside, CommitsInLine

WAIT = 10.0


class Bug(Exception):
    """What work raises that is not right yet."""


@pytest.fixture(params=["in line", "aside"])
def commits(request, live_app) -> Commits:
    if request.param == "in line":
        return CommitsInLine()
    return CommitsAside(db.engine, lambda: None)


@pytest.fixture
def held(stage) -> Iterator[tuple[CommitsAside, threading.Event, list[str]]]:
    """Commits whose work waits for an event, and what they told of their ends."""
    told: list[str] = []
    may_end = threading.Event()
    yield CommitsAside(db.engine, lambda: told.append("ended")), may_end, told
    may_end.set()


def fail_twice(destination: int) -> Callable[[Any], int]:
    def work(connection: Any) -> int:
        row = Destination.__table__.c
        connection.execute(update(Destination).where(row.id == destination).values(failures=2))
        return destination

    return work


def failures(destination: int) -> int:
    with db.engine.connect() as connection:
        return connection.scalar(select(Destination.failures).where(Destination.id == destination))


def test_a_result_is_taken_once_and_committed_by_then(stage, commits):
    commits.begin(fail_twice(stage.destination))
    assert commits.is_pending
    assert commits.result() == stage.destination
    assert not commits.is_pending
    assert failures(stage.destination) == 2


def test_what_fails_is_raised_and_leaves_nothing_behind(stage, commits):
    def work(connection: Any) -> None:
        fail_twice(stage.destination)(connection)
        raise Bug

    def commit() -> None:
        commits.begin(work)
        commits.result()

    with pytest.raises(Bug):
        commit()
    db.session.rollback()
    assert not commits.is_pending
    assert failures(stage.destination) == 0


def test_aside_the_caller_goes_on_and_is_told_of_the_end(stage, held):
    commits, may_end, told = held
    commits.begin(lambda _connection: may_end.wait(WAIT))
    assert commits.is_pending
    assert not commits.is_done
    assert told == []
    may_end.set()
    assert commits.result() is True
    assert told == ["ended"]
    assert not commits.is_done
