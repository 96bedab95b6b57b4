"""Threads are switched quickly while an update is taken, and only then."""

import gc
import sys
from collections.abc import Iterator

import pytest

from app.web.thread_switching import (
    COLLECTIONS,
    QUICK,
    USUAL,
    QuickForUpdates,
    leave_out_what_is_loaded,
)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(before)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


class Application:
    """Notes how quickly threads were switched, and calls `then` meanwhile."""

    def __init__(self) -> None:
        self.intervals: list[float] = []
        self.then = lambda: None

    def __call__(self, _environ, _start_response):
        self.intervals.append(sys.getswitchinterval())
        self.then()
        self.intervals.append(sys.getswitchinterval())
        return [b""]


@pytest.fixture
def application() -> Application:
    return Application()


def ask(quick, path):
    return quick({"PATH_INFO": path}, lambda *_: None)


def test_only_updates_are_quick(application):
    quick = QuickForUpdates(application)
    assert sys.getswitchinterval() == pytest.approx(USUAL)
    assert ask(quick, "/telegram/path") == [b""]
    assert application.intervals == pytest.approx([QUICK, QUICK])
    assert sys.getswitchinterval() == pytest.approx(USUAL)
    ask(quick, "/api/leads/list.json")
    assert application.intervals[2:] == pytest.approx([USUAL, USUAL])


def test_one_update_that_ends_does_not_slow_down_another(application):
    quick = QuickForUpdates(application)

    def another():
        application.then = lambda: None
        ask(quick, "/telegram/another")

    application.then = another
    ask(quick, "/telegram/path")
    assert application.intervals == pytest.approx([QUICK] * 4)
    assert sys.getswitchinterval() == pytest.approx(USUAL)


def test_an_update_that_fails_is_over(application):
    quick = QuickForUpdates(application)
    application.then = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        ask(quick, "/telegram/path")
    assert sys.getswitchinterval() == pytest.approx(USUAL)


def test_full_collections_leave_out_what_is_loaded_and_find_what_comes_later():
    loaded = len(gc.get_objects())
    leave_out_what_is_loaded()
    assert gc.get_freeze_count() > 0.5 * loaded
    assert len(gc.get_objects()) < 0.05 * loaded
    assert gc.get_threshold() == COLLECTIONS
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() >= 1
