"""Requests take turns at the interpreter: one has it, the others stand in line."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from app.extensions import db
from app.web.shares import interpreter_queue as module
from app.web.shares.interpreter_queue import InterpreterQueue, turn_given_back, turn_taken


class Request:
    """A thread that takes its turn, keeps it until it is told, and gives it back."""

    def __init__(self, turns: InterpreterQueue, order: list[str], name: str) -> None:
        self.has_it, self.may_end = threading.Event(), threading.Event()

        def run() -> None:
            turns.acquire()
            order.append(name)
            self.has_it.set()
            assert self.may_end.wait(30)
            turns.release()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.may_end.set()
        self.thread.join(30)


def until(fact: Callable[[], bool]) -> None:
    for _ in range(3000):
        if fact():
            return
        time.sleep(0.01)
    pytest.fail("it did not come true")


def test_they_have_it_one_after_the_other_in_the_order_in_which_they_came():
    turns, order = InterpreterQueue(held=1000), []
    requests = []
    for number in range(5):
        requests.append(Request(turns, order, str(number)))
        if number:
            until(lambda number=number: len(turns._line) == number)
        else:
            assert requests[0].has_it.wait(30)
    for number, request in enumerate(requests):
        assert request.has_it.wait(30)
        assert order == [str(each) for each in range(number + 1)]
        request.end()
    assert turns._holder is None


def test_one_that_is_kept_too_long_is_taken_and_its_return_disturbs_nobody():
    turns, order = InterpreterQueue(held=0.02), []
    stuck = Request(turns, order, "stuck")
    assert stuck.has_it.wait(30)
    second = Request(turns, order, "second")
    assert second.has_it.wait(30)
    holder = turns._holder
    stuck.end()
    assert turns._holder is holder
    second.end()
    assert turns._holder is None


def test_one_whose_turn_passed_before_it_woke_goes_on(monkeypatch):
    turns = InterpreterQueue(held=0.001)
    turns.acquire()  # this thread has it
    asleep, wake, ended = threading.Event(), threading.Event(), threading.Event()

    class Late:
        """A gate whose thread hears of nothing until somebody else has the turn."""

        def __init__(self) -> None:
            self.is_open = False

        def acquire(self, **_: float) -> bool:
            if self.is_open and not wake.is_set():
                return True
            asleep.set()
            assert wake.wait(30)
            wake.clear()
            return False

        def release(self) -> None:
            self.is_open = True

    def late() -> None:
        turns.acquire()
        turns.release()
        ended.set()

    with monkeypatch.context() as patched:
        patched.setattr(module, "_Waiter", lambda: SimpleNamespace(gate=Late()))
        thread = threading.Thread(target=late, daemon=True)
        thread.start()
        assert asleep.wait(30)
    turns.release()
    time.sleep(0.01)
    other = Request(turns, [], "other")
    assert other.has_it.wait(30)
    wake.set()
    assert ended.wait(30)
    other.end()
    assert turns._holder is None


def test_many_at_once_all_come_to_an_end():
    turns, count = InterpreterQueue(held=0.001), []

    def work() -> None:
        for _ in range(200):
            turns.acquire()
            count.append(1)
            turns.release()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(count) == 2400
    assert turns._holder is None
    assert not turns._line


@pytest.fixture
def own_turns(monkeypatch) -> InterpreterQueue:
    fresh = InterpreterQueue(held=1000)
    monkeypatch.setattr(module, "turns", fresh)
    return fresh


def test_without_a_turn_there_is_none_to_give_back(own_turns):
    with turn_given_back():
        assert own_turns._holder is None
    assert own_turns._holder is None


def test_others_have_it_while_the_database_is_waited_for(own_turns, live_app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file is not waited for by its driver's own loop")
    order: list[str] = []
    with turn_taken():
        other = Request(own_turns, order, "other")
        until(lambda: bool(own_turns._line))
        other.may_end.set()
        db.session.execute(text("SELECT pg_sleep(0.05)"))
        assert order == ["other"]
        assert own_turns._holder is not None
        db.session.rollback()
    assert own_turns._holder is None
