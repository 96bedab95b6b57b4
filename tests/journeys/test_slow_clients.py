"""Clients that send byte by byte are cut off by the server, and keep nobody waiting."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests

from tests.journeys.system import System
from tests.support.sockets import read_to_end
from tests.support.waiting import eventually

#: Enough for all of them to come and somebody else to be answered, on a busy machine.
SECONDS = "20"
EACH = 25
_LANG = "SELECT lang FROM account WHERE login = 'owner'"


@pytest.fixture(scope="module")
def system(start_system) -> System:
    started: System = start_system(
        "postgresql",
        WEB_CONCURRENCY="1",
        REQUEST_SECONDS=SECONDS,
        GRANIAN_HTTP1_HEADER_READ_TIMEOUT=f"{SECONDS}000",
    )
    return started


@pytest.fixture(scope="module")
def key(system) -> str:
    return system.account("owner")


@dataclass
class Slow:
    """Many clients that say `beginning`, and then `more` for ever; nothing if there is none."""

    port: int
    beginning: bytes
    more: bytes = b""
    links: list[socket.socket] = field(default_factory=list)
    ended: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send on, and count who has been cut off."""
        with selectors.DefaultSelector() as selector:
            for link in self.links:
                selector.register(link, selectors.EVENT_READ)
            while not self.stop.wait(0.1):
                for ready, _ in selector.select(0):
                    if self._has_ended(ready.fileobj):
                        selector.unregister(ready.fileobj)
                        self.ended += 1
                for entry in list(selector.get_map().values()):
                    with contextlib.suppress(OSError):  # the next look notices
                        entry.fileobj.send(self.more)

    @staticmethod
    def _has_ended(link: socket.socket) -> bool:
        try:
            return not link.recv(65536)
        except ConnectionError:
            return True


@contextlib.contextmanager
def slow_clients(port: int, beginning: bytes, more: bytes = b"") -> Iterator[Slow]:
    with contextlib.ExitStack() as stack:
        slow = Slow(port, beginning, more)
        for _ in range(EACH):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=120))
            link.sendall(beginning)
            slow.links.append(link)
        thread = threading.Thread(target=slow.run)
        thread.start()
        stack.callback(thread.join)
        stack.callback(slow.stop.set)
        yield slow


def head(key: str, *lines: str) -> bytes:
    said = ["POST /api/profile/lang.json HTTP/1.1", "Host: gatepost", *lines]
    return "\r\n".join([*said, f"Authorization: Bearer {key}", ""]).encode()


def test_two_hundred_slow_clients_are_cut_off_and_others_answered_meanwhile(system, key):
    """Those who send a header or a body, or nothing, or one byte after the other.

    They are of two accounts: of one, no more than 64 calls may be there at once.
    """
    one, other = system.account("slow"), system.account("slower")
    body = head(one, "Content-Type: application/json", "Content-Length: 1000") + b"\r\n{"
    chunks = head(other, "Transfer-Encoding: chunked") + b"\r\n500\r\n{"
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(slow_clients(system.port, beginning, more))
            for beginning in (b"", head(key, "X-Slow: "), body, chunks)
            for more in (b"", b"x")
        ]
        assert requests.get(f"{system.url}/readyz", timeout=120).status_code == 200
        assert system.call(key, "profile/lang", lang="en") is None
        assert not any(one.ended for one in slow), "all of them were there meanwhile"
        eventually(lambda: {one.ended for one in slow} == {EACH}, 30, "the last cut")


def test_half_a_form_changes_nothing(system, key):
    body = b"lang=ru&rest=1"  # valid wherever it is cut behind the language
    form = "Content-Type: application/x-www-form-urlencoded"
    whole = head(key, form, f"Content-Length: {len(body)}", "Connection: close") + b"\r\n" + body
    assert system.call(key, "profile/lang", lang="en") is None
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", system.port), timeout=120) as link:
            link.sendall(whole[:-3])
            link.shutdown(socket.SHUT_WR)
            assert b'"ok"' not in read_to_end(link)
    assert system.one(_LANG) == "en"
    with socket.create_connection(("127.0.0.1", system.port), timeout=120) as link:
        link.sendall(whole)
        assert b'"ok"' in read_to_end(link)
    assert system.one(_LANG) == "ru"
