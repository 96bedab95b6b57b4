"""Who is cut off, and who is left in peace. Real connections, invented time."""

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from app.web.slow_clients import SLOWEST, SlowClients

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is Linux's")

SECONDS = 10.0


@dataclass(slots=True)
class Line:
    """A client's connection to a server of this process, both ends of it."""

    port: int
    client: socket.socket
    server: socket.socket
    watcher: SlowClients = field(default_factory=lambda: SlowClients(SECONDS))

    def send(self, data: bytes) -> None:
        self.client.sendall(data)
        got = b""
        while len(got) < len(data):
            got += self.server.recv(65536)

    def answer(self) -> None:
        self.server.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        assert self.client.recv(100)

    def cut_at(self, *moments: float) -> list[int]:
        return [self.watcher.look(self.port, moment) for moment in moments]


@pytest.fixture
def line() -> Iterator[Line]:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]
        client = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
        server = stack.enter_context(listener.accept()[0])
        server.settimeout(5)
        yield Line(port, client, server)


def test_a_request_that_does_not_go_on_is_cut(line):
    line.send(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab")
    assert line.cut_at(0, 9, 10) == [0, 0, 1]
    assert line.client.recv(1) == b""
    assert line.server.recv(1) == b"", "the thread that reads wakes up"


def test_a_request_that_goes_on_byte_by_byte_is_cut(line):
    line.send(b"POST")
    for moment in range(10):
        assert line.cut_at(moment) == [0]
        line.send(b"x")
    assert line.cut_at(10) == [1]


def test_an_upload_that_comes_slowly_but_steadily_is_not_cut(line):
    line.send(b"POST")
    for moment in range(0, 60, 5):
        assert line.cut_at(moment) == [0]
        line.send(bytes(SLOWEST * 6))


@pytest.fixture
def answered(line):
    """A connection on which more is answered than fits between its two ends."""
    line.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.send(b"GET / HTTP/1.1\r\n\r\n")
    line.server.settimeout(0.2)
    with contextlib.suppress(TimeoutError):
        line.server.sendall(bytes(32_000_000))
    return line


def test_an_answer_that_is_read_byte_by_byte_is_cut(answered):
    for moment in range(0, 10, 2):
        assert answered.cut_at(moment) == [0]
        answered.client.recv(1)
    assert answered.cut_at(10) == [1]


def test_an_answer_that_is_read_slowly_but_steadily_is_not_cut(answered):
    for moment in range(0, 60, 5):
        assert answered.cut_at(moment) == [0]
        left = SLOWEST * 60
        while left > 0:
            left -= len(answered.client.recv(left))


def test_the_time_of_a_request_begins_when_it_does(line):
    line.send(b"GET / HTTP/1.1\r\n\r\n")
    line.answer()
    assert line.cut_at(0, 8) == [0, 0]
    line.send(b"GET / HTTP/1.1\r\n\r\n")
    assert line.cut_at(9, 18) == [0, 0]
    line.answer()
    assert line.cut_at(19, 28) == [0, 0]


def test_what_came_at_once_with_the_last_answer_is_cut_too(line):
    """Whether it is the beginning of a request cannot be seen, so it gets twice the time."""
    line.send(b"GET / HTTP/1.1\r\n\r\n")
    assert line.cut_at(0) == [0]
    line.answer()
    line.send(b"POST / HT")
    assert line.cut_at(1, 20, 21) == [0, 0, 1]


def test_connections_to_others_are_left_alone(line):
    """`line.client` is one of this very process, as a connection to a database is."""
    line.send(b"POST")
    with socket.create_server(("127.0.0.1", 0)) as server:
        watcher = SlowClients(SECONDS)
        port = server.getsockname()[1]
        assert [watcher.look(port, moment) for moment in (0, 100)] == [0, 0]
    line.answer()


def test_the_system_that_tells_nothing_is_not_watched(monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    SlowClients(SECONDS).watch({"SERVER_PORT": "8000"})
    assert not [one for one in threading.enumerate() if one.name == "slow-clients"]


def test_a_moment_without_descriptors_does_not_end_the_watch(line, monkeypatch):
    def none(_port):
        raise OSError(24, "Too many open files")

    line.send(b"POST")
    with monkeypatch.context() as broken:
        broken.setattr("app.web.slow_clients._connections", none)
        assert line.watcher._looked(line.port) == 0
    assert line.cut_at(0, 10) == [0, 1]


def test_what_is_no_stream_is_left_alone(line):
    """A question to a name server may come from the port of the same number."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", line.port))
        other.connect(("127.0.0.1", 9))
        assert line.cut_at(0, 100) == [0, 1]
