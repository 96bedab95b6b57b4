"""A watch sees what its own thread does to the outside, while it lasts, and nothing else."""

import datetime as dt
import gc
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.host.purity import watched
from plugins.host.time_limit import time_limit

LOOPBACK = "127.0.0.1"


@pytest.mark.parametrize(
    ("act", "word"),
    [
        (lambda: socket.socket().close(), "socket."),
        (lambda: socket.gethostbyname(LOOPBACK), "socket."),
        (lambda: Path(os.devnull).read_bytes(), "open"),
        (lambda: subprocess.run([sys.executable, "-c", ""], check=True), "subprocess."),
        (time.time, "time.time"),
        (time.monotonic, "time.monotonic"),
        (lambda: time.sleep(0), "time.sleep"),
        (lambda: dt.datetime.now(dt.UTC), "datetime.now"),
        (dt.date.today, "date.today"),
        (lambda: os.environ.get("HOME"), "os."),
    ],
    ids=["socket", "name", "file", "process", "time", "monotonic", "sleep", "now", "today", "env"],
)
def test_a_look_outside_is_seen(act: Callable[[], Any], word: str):
    with watched() as seen:
        act()
    assert [one for one in seen if word in one], seen


@pytest.mark.parametrize(
    "act",
    [
        lambda: dt.datetime.fromtimestamp(0, dt.UTC).isoformat(),
        lambda: time.strftime("%Y", time.gmtime(0)),
        lambda: re.sub("a", "b", "abc"),
        lambda: random.Random(5).random(),
    ],
    ids=["a time that is given", "gmtime", "text", "seeded numbers"],
)
def test_what_only_computes_is_not(act: Callable[[], Any]):
    with watched() as seen:
        act()
    assert seen == []


def test_our_own_time_limit_is_not_the_hooks_doing():
    with watched() as seen, time_limit(5):
        pass
    assert seen == []


def test_what_another_thread_does_meanwhile_is_not_either():
    go, done = threading.Event(), threading.Event()

    def open_a_socket() -> None:
        go.wait(60)
        socket.socket().close()
        done.set()

    thread = threading.Thread(target=open_a_socket)
    thread.start()
    with watched() as seen:
        go.set()
        done.wait(60)
    thread.join()
    assert not [one for one in seen if one.startswith("socket")]


def test_rubbish_that_closes_its_files_is_not_cleared_away_under_the_watch():
    class Rubbish:
        pass

    rubbish = Rubbish()
    rubbish.itself = rubbish  # type: ignore[attr-defined]
    looks: list[int] = []
    weakref.finalize(rubbish, lambda: looks.append(os.getpid()))
    del rubbish
    with watched():
        [[] for _ in range(3000)]
        assert looks == []
    gc.collect()
    assert looks


def test_the_watch_ends_with_its_block_also_when_the_hook_fails():
    def fail() -> None:
        with watched() as seen:
            kept.append(seen)
            raise ValueError("the hook failed")

    kept: list[list[str]] = []
    with pytest.raises(ValueError, match="the hook failed"):
        fail()
    time.time()
    socket.socket().close()
    assert kept == [[]]
    assert gc.isenabled()
    assert sys.getprofile() is None
