"""The limit on foreign code, in the main thread and in others."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from typing import Any

import pytest

from plugins.host.time_limit import TimeUp, time_limit


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


def in_a_thread(work: Any) -> list[BaseException]:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            with time_limit(0.05):
                work()
        except BaseException as error:  # noqa: BLE001  # to see what came
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught


@pytest.mark.parametrize("work", [spin, sleep, spin_swallowing, spin_swallowing_bytecode])
def test_the_main_thread_is_interrupted_whatever_it_does(work: Any):
    with pytest.raises(TimeUp), time_limit(0.05):
        work()


@pytest.mark.parametrize("work", [spin, spin_swallowing_bytecode])
def test_another_thread_is_interrupted_too(work: Any):
    assert [type(error) for error in in_a_thread(work)] == [TimeUp]


def test_quick_work_is_left_alone():
    assert in_a_thread(lambda: None) == []
    with time_limit(0.05):
        pass
    time.sleep(0.1)


def test_limits_may_be_nested_and_the_outer_one_holds():
    def limited() -> None:
        for _ in range(1000):
            with time_limit(5):
                time.sleep(0.01)

    with pytest.raises(TimeUp), time_limit(0.05):
        limited()


def test_the_alarm_of_a_job_is_put_back_with_the_time_left():
    rang: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rang.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 60)
        with contextlib.suppress(TimeUp), time_limit(0.05):
            spin()
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 60
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with time_limit(5):
            time.sleep(0.05)
        while not rang:
            time.sleep(0.001)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rang == [signal.SIGALRM]


def test_tracing_is_as_before():
    before = sys.gettrace()
    with contextlib.suppress(TimeUp), time_limit(0.02):
        spin_swallowing()
    assert sys.gettrace() is before
