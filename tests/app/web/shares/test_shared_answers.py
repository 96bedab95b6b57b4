"""What costs much is made for one of those who ask, and taken by the others."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.web.shares.shared_answers import KEPT, LONGEST, SharedAnswer


class Maker:
    """Takes `seconds` of a clock of its own for each answer, and counts them."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.made = seconds, 1000.0, 0

    def clock(self) -> float:
        return self.now

    def __call__(self) -> bytes:
        self.now += self.seconds
        self.made += 1
        return b"%d" % self.made


def test_whoever_asks_without_end_takes_a_tenth_of_the_time():
    make = Maker(0.5)
    shared, ended = SharedAnswer(make, make.clock), 1000.0 + 600
    while make.now < ended:
        shared.get()
        make.now += 0.25
    assert make.made * make.seconds == pytest.approx(600 / (1 + KEPT), rel=0.1)


def test_nothing_is_older_than_ten_seconds():
    make = Maker(30.0)
    shared = SharedAnswer(make, make.clock)
    shared.get()
    make.now += LONGEST - 1
    assert shared.get() == b"1"
    make.now += 1
    assert shared.get() == b"2"


def test_what_costs_nothing_is_always_new():
    make = Maker(0.0)
    shared = SharedAnswer(make, make.clock)
    assert [shared.get() for _ in range(3)] == [b"1", b"2", b"3"]


def test_who_comes_meanwhile_gets_the_one_before_and_who_comes_first_waits():
    begun, may_end, made = threading.Event(), threading.Event(), []

    def make() -> bytes:
        made.append(1)
        begun.set()
        assert may_end.wait(30)
        return b"%d" % len(made)

    shared = SharedAnswer(make, clock=lambda: 0.0)
    with ThreadPoolExecutor(8) as pool:
        first = [pool.submit(shared.get) for _ in range(4)]
        assert begun.wait(30)
        assert not any(answer.done() for answer in first)
        may_end.set()
        assert {answer.result(30) for answer in first} <= {b"1", b"2", b"3", b"4"}
        count = len(made)
        begun.clear()
        may_end.clear()
        again = pool.submit(shared.get)
        assert begun.wait(30)
        assert [shared.get() for _ in range(3)] == [b"%d" % count] * 3
        may_end.set()
        assert again.result(30) == b"%d" % (count + 1)


def test_a_fault_is_its_callers_own_and_the_next_tries_again():
    answers = iter([OSError("away"), b"1"])

    def make() -> bytes:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    shared = SharedAnswer(make)
    with pytest.raises(OSError, match="away"):
        shared.get()
    assert shared.get() == b"1"


def test_what_was_forgotten_is_made_anew():
    make = Maker(5.0)
    shared = SharedAnswer(make, make.clock)
    assert [shared.get(), shared.get()] == [b"1", b"1"]
    shared.forget()
    assert shared.get() == b"2"
