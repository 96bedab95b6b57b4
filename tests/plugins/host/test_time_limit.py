"""The limit on foreign code, in the main thread and in others."""

import contextlib
import inspect
import itertools
import os
import re
import signal
import sys
import threading
import time
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

from plugins.host.foreign_code import run_limited
from plugins.host.time_limit import TimeUp, Watchdog, _Timer, shared_timer, time_limit


def spin() -> None:
    while True:
        pass


def spin_swallowing() -> None:
    while True:
        try:  # noqa: SIM105  # suppress() would be another loop
            time.sleep(60)
        except BaseException:  # noqa: BLE001, S110  # what a bad plugin does
            pass


def spin_swallowing_bytecode() -> None:
    count = 0
    while True:
        try:
            count = int(str(count)) + 1
        except BaseException:  # noqa: BLE001, S112  # what a bad plugin does
            continue


def sleep() -> None:
    time.sleep(60)


def in_a_thread(work: Any, seconds: float = 0.05) -> list[BaseException]:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            run_limited(seconds, work)
        except BaseException as error:  # noqa: BLE001  # to see what came
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught


def backtrack() -> None:
    re.match(r"(a|a)*$", "a" * 40 + "b")


@pytest.fixture(params=[contextlib.nullcontext, shared_timer], ids=["alone", "in a drain"])
def around(request: pytest.FixtureRequest) -> Any:
    """A limit by itself, or one of the many that share a timer."""
    return request.param


@pytest.mark.parametrize(
    "work", [spin, sleep, backtrack, spin_swallowing, spin_swallowing_bytecode]
)
def test_the_main_thread_is_interrupted_whatever_it_does(work: Any, around: Any):
    with around(), pytest.raises(TimeUp), time_limit(0.05):
        work()


def test_limits_that_share_a_timer_are_timed_each_by_itself():
    with shared_timer():
        for work in (sleep, spin_swallowing):
            with pytest.raises(TimeUp), time_limit(0.05):
                work()
            with time_limit(5):
                time.sleep(0.25)  # longer than it takes the timer to look
        time.sleep(0.25)  # and no limit at all


def test_limits_that_share_a_timer_set_up_none_of_their_own(monkeypatch):
    set_up: list[float] = []
    setitimer = signal.setitimer

    def note(which: int, seconds: float, interval: float = 0.0) -> Any:
        set_up.append(seconds)
        return setitimer(which, seconds, interval)

    monkeypatch.setattr(signal, "setitimer", note)
    with shared_timer(), shared_timer():
        for _ in range(100):
            with time_limit(5):
                pass
    assert set_up[:2] == [0.1, 0]  # begun and ended
    assert len(set_up) <= 3  # and pytest's own put back


def test_a_signal_that_strikes_in_our_own_code_is_left_for_the_next_one(monkeypatch):
    monkeypatch.setattr(signal, "setitimer", lambda *_: (0.0, 0.0))
    timer = _Timer()
    timer.call = SimpleNamespace(until=0.0)
    timer._tick(signal.SIGALRM, shared_timer().gen.gi_frame)  # a frame of the module's
    assert timer.fired == 0
    with pytest.raises(TimeUp):
        timer._tick(signal.SIGALRM, inspect.currentframe())


def test_another_thread_takes_no_part_in_the_timer_of_a_drain():
    with shared_timer():
        assert [type(error) for error in in_a_thread(spin)] == [TimeUp]
        with time_limit(5):
            time.sleep(0.15)


def test_what_waits_in_a_drain_is_not_disturbed_by_its_timer():
    with shared_timer():
        reader, writer = os.pipe()
        threading.Timer(0.25, os.write, (writer, b"x")).start()
        assert os.read(reader, 1) == b"x"


@pytest.mark.parametrize("work", [spin, spin_swallowing_bytecode])
def test_another_thread_is_interrupted_too(work: Any):
    assert [type(error) for error in in_a_thread(work)] == [TimeUp]


class _Standstill:
    """A trace function that stands still at a line of time_limit.py, until it is struck there.

    That line is the one that comes as the `moment`th.
    """

    def __init__(self, moment: int) -> None:
        self._moment = moment
        self.lines = 0

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename == inspect.getfile(Watchdog) and event == "line":
            self.lines += 1
            if self.lines == self._moment:
                work_for(0.1)
        return self


def work_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.001)


def _use_a_thread_twice(still: _Standstill, faults: list[str]) -> None:
    """Be interrupted at work, with `still` from then on, and do something else without a limit."""

    def work() -> None:
        try:
            spin()
        finally:
            sys.settrace(still)

    try:
        with contextlib.suppress(TimeUp):
            run_limited(0.02, work)
            faults.append("it was not interrupted")
        sys.settrace(None)
        work_for(0.1)
    except TimeUp:
        faults.append("whoever had the thread next was struck")


def test_whoever_has_a_thread_next_is_not_struck_wherever_the_last_blow_came():
    for moment in itertools.count(1):
        still, faults = _Standstill(moment), []
        thread = threading.Thread(target=_use_a_thread_twice, args=(still, faults))
        thread.start()
        thread.join()
        assert faults == [], moment
        assert not [other for other in threading.enumerate() if other.name == "time-limit"], moment
        if still.lines < moment:
            break
    assert moment > 5


def test_threads_that_are_interrupted_all_at_once_are_left_alone_afterwards():
    caught: list[BaseException] = []

    def run() -> None:
        try:
            with contextlib.suppress(TimeUp):
                run_limited(0.02, spin_swallowing_bytecode)
            for _ in range(20_000):
                str(caught)
        except BaseException as error:  # noqa: BLE001  # to see what came
            caught.append(error)

    threads = [threading.Thread(target=run) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert caught == []
    assert not [thread for thread in threading.enumerate() if thread.name == "time-limit"]


def test_quick_work_is_left_alone():
    assert in_a_thread(lambda: None, 1.0) == []
    with time_limit(1.0):
        pass
    time.sleep(1.2)


def test_limits_may_be_nested_and_the_outer_one_holds(around):
    def limited() -> None:
        for _ in range(1000):
            with time_limit(5):
                time.sleep(0.01)

    with around(), pytest.raises(TimeUp), time_limit(0.05):
        limited()


def test_an_inner_limit_that_is_over_leaves_the_outer_one_its_time(around):
    seen: list[str] = []

    def work() -> None:
        with pytest.raises(TimeUp), time_limit(0.05):
            spin_swallowing()
        seen.append("the inner one ended alone")
        spin_swallowing()

    with around(), pytest.raises(TimeUp), time_limit(2.0):
        work()
    assert seen


def test_the_alarm_of_a_job_is_put_back_with_the_time_left(around):
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 60)
        with around(), contextlib.suppress(TimeUp), time_limit(0.05):
            spin()
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 60
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with around(), time_limit(5):
            time.sleep(0.05)
        while not rang:
            time.sleep(0.001)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rang == [signal.SIGALRM]


def test_tracing_is_as_before(around):
    before = sys.gettrace()
    with around(), contextlib.suppress(TimeUp), time_limit(0.02):
        spin_swallowing()
    assert sys.gettrace() is before
