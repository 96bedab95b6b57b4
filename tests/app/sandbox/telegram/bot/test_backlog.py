"""The backlog numbers updates, keeps order in each queue, and forgets what is confirmed."""

import pytest

from app.sandbox.telegram import people
from app.sandbox.telegram.bot import backlog
from app.sandbox.telegram.bot.backlog import Backlog

ANN, BEN = people.Person(77), people.Person(78)


@pytest.fixture
def held() -> Backlog:
    return Backlog(100)


def ids(held: Backlog, limit: int = 100) -> list[int]:
    return [queued.update_id for queued in held.oldest(limit)]


def test_numbers_rise_by_one_from_the_first_and_a_given_one_moves_them(held):
    held.add(people.start(ANN), 0)
    held.add(people.start(ANN), 0)
    held.add({"update_id": 5, **people.start(ANN)}, 0)
    held.add(people.start(ANN), 0)
    assert ids(held) == [100, 101, 5, 6]
    assert held.next_update_id == 7


def test_each_queue_gives_its_oldest(held):
    first, second = held.add(people.start(ANN), 0), held.add(people.start(ANN), 0)
    other = held.add(people.start(BEN), 0)
    assert held.busy_queues() == ["chat:77", "chat:78"]
    assert (held.head("chat:77"), held.head("chat:78")) == (first, other)
    held.settle(first)
    assert held.head("chat:77") == second
    held.settle(second)
    assert held.head("chat:77") is None
    assert held.busy_queues() == ["chat:78"]
    assert (first in held, other in held, len(held)) == (False, True, 1)


@pytest.mark.parametrize(("offset", "left"), [(102, [102]), (101, [101, 102]), (-1, [102])])
def test_an_offset_confirms(held, offset, left):
    for _ in range(3):
        held.add(people.start(ANN), 0)
    held.confirm(offset)
    assert ids(held) == left


def test_a_full_backlog_takes_no_more(held, monkeypatch):
    monkeypatch.setattr(backlog, "MAX_PENDING", 1)
    held.add(people.start(ANN), 0)
    with pytest.raises(OverflowError):
        held.add(people.start(ANN), 0)
    held.drop_all()
    assert held.add(people.start(ANN), 0).update_id == 101
