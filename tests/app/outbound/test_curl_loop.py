"""The loop drives handles until they finish, and closes while some have not."""

import time
from collections.abc import Callable
from typing import Any

import pycurl
import pytest

from app.outbound.curl_loop import NOTED_SECONDS, Attention, CurlLoop
from tests.support.servers import polite, serving


@pytest.fixture
def loop():
    loop = CurlLoop(4)
    yield loop
    loop.close()


def easy(url: str) -> Any:
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, url)
    handle.setopt(pycurl.PROXY, "")
    handle.setopt(pycurl.WRITEFUNCTION, lambda _: None)
    return handle


def finished(loop: CurlLoop, is_enough: Callable[[dict[Any, int]], bool]) -> dict[Any, int]:
    codes: dict[Any, int] = {}
    until = time.monotonic() + 20
    while not is_enough(codes) and time.monotonic() < until:
        codes |= {handle: code for handle, code, _ in loop.drive(1.0)}
    return codes


def test_each_handle_comes_back_once_with_its_result(loop):
    with serving(polite) as server:
        good, bad = easy(server.url), easy("http://127.0.0.1:1/")
        for handle in (good, bad):
            loop.add(handle)
        codes = finished(loop, lambda codes: len(codes) == 2)
    assert codes == {good: 0, bad: pycurl.E_COULDNT_CONNECT}
    assert list(loop.drive(0.0)) == []


def test_a_handle_that_has_finished_may_be_added_again(loop):
    with serving(polite) as server:
        handle = easy(server.url)
        for _ in range(2):
            loop.add(handle)
            assert finished(loop, bool) == {handle: 0}
    assert len(server.requests) == 2


def test_a_handle_that_is_removed_does_not_come_back(loop):
    with serving(polite) as server:
        removed, other = easy(server.url), easy(server.url)
        loop.add(removed)
        loop.add(other)
        loop.remove(removed)
        assert finished(loop, bool) == {other: 0}


def test_only_what_is_long_enough_is_counted() -> None:
    now = 0.0
    attention = Attention(lambda: now)
    for pause in (NOTED_SECONDS / 2, 2.0, NOTED_SECONDS / 2, 3.0):
        attention.leave()
        now += pause
        attention.come_back()
    assert attention.seconds_away == 5.0


def test_what_passes_while_somebody_looks_is_not_counted() -> None:
    now = 0.0
    attention = Attention(lambda: now)
    attention.come_back()
    now += 7.0
    attention.leave()
    attention.come_back()
    assert attention.seconds_away == 0.0
