"""Waiting for what comes true some time, and a port that stays free until it is used."""

import os
import random
import socket
import time
from collections.abc import Callable
from typing import Final

#: A wait that takes seconds on an idle machine takes many times as long on one with other work.
LOADED: Final = 6
#: How long anything may take that only has to end, in seconds.
PATIENCE: Final = 20.0 * LOADED
#: Below those that the kernel takes for outgoing connections, one of which could be in the way.
_PORTS: Final = range(20_000, 32_000)


def eventually(fact: Callable[[], object], seconds: float = 20, what: str = "it") -> None:
    """Wait until `fact` is true; how long is never asserted, only that it ends.

    `seconds` is what an idle machine would be given.
    """
    allowed = seconds * LOADED
    deadline = time.monotonic() + allowed
    while not fact():
        assert time.monotonic() < deadline, f"{what} did not come true within {allowed:g} s"
        time.sleep(0.05)


def free_port() -> int:
    """A port of the loopback nobody listens on."""
    chance = random.Random(f"{os.getpid()} {time.monotonic_ns()}")
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", chance.choice(_PORTS)))
            except OSError:
                continue
            return int(probe.getsockname()[1])
