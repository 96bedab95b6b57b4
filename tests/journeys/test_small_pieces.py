"""What a body in very small pieces costs the web process, beside what it costs as a whole.

The process's own CPU is compared, as the kernel counts it, and no time that anything took: a chunk
costs the server several microseconds before our code sees a byte of it.
"""

import contextlib
import json
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.journeys.system import System
from tests.support.sockets import read_to_end

CALLS = 8
SIZE = 250_000
#: How many times what a whole body costs, and below how many seconds of CPU the kernel's ticks
#: say nothing.
RATIO = 12.0
FLOOR_SECONDS = 0.05

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others do not count waits")


@pytest.fixture(scope="module")
def system(start_system) -> System:
    started: System = start_system("postgresql", WEB_CONCURRENCY="1")
    return started


@pytest.fixture(scope="module")
def key(system) -> str:
    return system.account("sender")


def body_of(size: int) -> bytes:
    """A JSON object of `size` bytes that is taken."""
    frame = len(json.dumps({"lang": "en", "rest": ""}))
    return json.dumps({"lang": "en", "rest": "x" * (size - frame)}).encode()


def whole(body: bytes) -> tuple[str, Iterator[bytes]]:
    return f"Content-Length: {len(body)}", iter([body])


def chunks(body: bytes, size: int) -> tuple[str, Iterator[bytes]]:
    """The chunked coding, with `size` bytes in each chunk."""
    cut = [body[at : at + size] for at in range(0, len(body), size)]
    coded = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in cut)
    return "Transfer-Encoding: chunked", iter([coded + b"0\r\n\r\n"])


def segments(body: bytes) -> tuple[str, Iterator[bytes]]:
    """One byte in each segment."""
    return f"Content-Length: {len(body)}", (body[at : at + 1] for at in range(len(body)))


def send(system: System, key: str, sent: tuple[str, Iterator[bytes]]) -> bytes:
    """Send one call by a connection of its own; what was answered before it ended."""
    length, pieces = sent
    lines = (
        "POST /api/profile/lang.json HTTP/1.1", "Host: gatepost", "Content-Type: application/json",
        "Connection: close", f"Authorization: Bearer {key}", length, "", "",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", system.port), timeout=120) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sendall("\r\n".join(lines).encode())
        with contextlib.suppress(ConnectionError):  # it has been ended meanwhile
            for piece in pieces:
                link.sendall(piece)
        with contextlib.suppress(ConnectionError):
            return read_to_end(link)
    return b""


def cpu(system: System) -> float:
    """Seconds of CPU that the web process has used so far."""
    used = system.children("web")[0].cpu_times()
    return float(used.user + used.system)


@pytest.fixture
def cost(system, key) -> Callable[..., float]:
    def measure(spelled: Callable[[bytes], tuple[str, Iterator[bytes]]], word: bytes) -> float:
        """Seconds of CPU for so many calls; `word` is in each answer that still comes."""
        send(system, key, whole(body_of(SIZE)))
        before = cpu(system)
        answers = [send(system, key, spelled(body_of(SIZE))) for _ in range(CALLS)]
        assert all(word in answer for answer in answers if answer)
        return cpu(system) - before

    return measure


def test_a_body_in_single_bytes_costs_about_what_a_whole_one_does(cost, capsys):
    figures = {
        "whole": cost(whole, b'"ok"'),
        "in chunks of 16 KB": cost(lambda body: chunks(body, 16_384), b'"ok"'),
        "in chunks of 1 byte": cost(lambda body: chunks(body, 1), b"too many small pieces"),
        "in segments of 1 byte": cost(segments, b"too many small pieces"),
    }
    with capsys.disabled():
        for name, seconds in figures.items():
            each = seconds / (CALLS * SIZE) * 1e9
            sys.stdout.write(f"\nbodies {name}: {each:.0f} ms of CPU for each MB that was meant")
        sys.stdout.write("\n")
    allowed = RATIO * max(figures["whole"], FLOOR_SECONDS)
    assert {name for name, seconds in figures.items() if seconds > allowed} == set()
