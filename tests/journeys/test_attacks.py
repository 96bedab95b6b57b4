"""Attacks that keep a web process busy do not reach Telegram's updates.

Each attack is driven against one web process with the default settings. The time that a quiet
tenant's update takes, from the connection to the 200, is measured before and meanwhile, and
both are printed. They are compared with each other only, never with a number of seconds.

The attacker runs on the same machine, and what its processes take from the web process is no
fault of ours. So the quiet tenant is also measured beside processes that only keep the machine
busy, and the larger of the two figures is what an attack is held against.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from app.sandbox.telegram import people
from tests.journeys.crowd import post
from tests.journeys.system import Door, System, eventually
from tests.support import ROOT

TOKEN = "401:AAa-quiet-tenants-bot-0123456789012345"
#: How many times the quiet figure an update may take while the attack goes on.
RATIO: Final = 3.0
#: Below these the machine's own noise is larger than what is measured: of the median, of the
#: 95th percentile, and of the slowest.
FLOOR_SECONDS: Final = (0.01, 0.03, 1.0)
FIGURES: Final = ("p50", "p95", "slowest")
SAMPLES: Final = 40
#: A machine that has other work spoils a round, and a fault spoils them all.
ROUNDS: Final = 3
LEADS: Final = 30_000
_MORE_LEADS: Final = """
    INSERT INTO lead SELECT (jsonb_populate_record(NULL::lead, to_jsonb(l) || jsonb_build_object(
        'id', 1000000000 + n, 'subscriber', 1000000000 + n, 'account_id', {account}
    ))).* FROM (SELECT * FROM lead LIMIT 1) l, generate_series(1, {count}) n
"""


@pytest.fixture(scope="module")
def system(start_system) -> System:
    started: System = start_system("postgresql", WEB_CONCURRENCY="1")
    return started


@pytest.fixture(scope="module")
def door(system) -> Door:
    """The quiet tenant's bot."""
    return system.open_door(system.account("quiet"), TOKEN, "")


@pytest.fixture(scope="module")
def hostile(system) -> str:
    """The key of an account that attacks."""
    return system.account("hostile")


@dataclass
class Updates:
    """Sends updates of the quiet tenant, each by a connection of its own."""

    port: int
    door: Door
    number: int = 1_000_000

    def measure(self) -> tuple[float, float, float]:
        """Seconds from the connection to the 200: median, 95th percentile, and the slowest."""
        took = []
        for _ in range(SAMPLES):
            self.number += 1
            body = {
                "update_id": self.number,
                **people.start(people.Person(self.number), self.door.code),
            }
            wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            began = time.perf_counter()
            status = post(wire, self.door, json.dumps(body).encode())
            took.append(time.perf_counter() - began)
            wire.close()
            assert status == 200
        return statistics.median(took), statistics.quantiles(took, n=20)[-1], max(took)


@contextlib.contextmanager
def busy_machine() -> Iterator[None]:
    """As many processes as there are processors, which do nothing but work."""
    with contextlib.ExitStack() as stack:
        for _ in range(os.cpu_count() or 1):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


def is_kept(before: tuple[float, ...], during: tuple[float, ...]) -> bool:
    """Whether no figure is more than `RATIO` times the quiet one."""
    figures = zip(before, during, FLOOR_SECONDS, strict=True)
    return all(busy <= RATIO * max(quiet, floor) for quiet, busy, floor in figures)


@pytest.fixture
def compare(system, door, capsys) -> Callable[..., None]:
    """`compare("name", attack)`: the figures before and during, printed, and their ratio kept."""

    def run(
        name: str,
        attack: contextlib.AbstractContextManager[object],
        port: int = system.port,
        quiet: Door = door,
    ) -> None:
        updates = Updates(port, quiet)
        updates.measure()  # connections, caches
        before = updates.measure()
        with busy_machine():
            beside = updates.measure()
        allowed = tuple(map(max, before, beside))
        rounds: list[tuple[float, ...]] = []
        with attack:
            while len(rounds) < ROUNDS and not (rounds and is_kept(allowed, rounds[-1])):
                rounds.append(updates.measure())
        with capsys.disabled():
            for during in rounds:
                figures = ", ".join(
                    f"{figure} {was * 1000:.0f} ms quiet, {busy * 1000:.0f} on a busy machine, "
                    f"{now * 1000:.0f} during"
                    for figure, was, busy, now in zip(FIGURES, before, beside, during, strict=True)
                )
                sys.stdout.write(f"\n{name}: {figures}\n")
        assert is_kept(allowed, rounds[-1])

    return run


@contextlib.contextmanager
def many(port: int, count: int, request: bytes) -> Iterator[None]:
    """So many clients that send `request` again and again, in a process of their own."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.attacker"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as attacker:  # fmt: skip
        assert attacker.stdin is not None
        assert attacker.stdout is not None
        attack = {"port": port, "count": count, "request": base64.b64encode(request).decode()}
        attacker.stdin.write(f"{json.dumps(attack)}\n")
        attacker.stdin.flush()
        assert attacker.stdout.readline() == "ready\n"
        yield
        attacker.stdin.close()


@contextlib.contextmanager
def sockets(port: int, count: int, beginning: bytes, *, reads: bool = True) -> Iterator[None]:
    """So many connections that have sent `beginning`, and then say nothing.

    Without `reads` their buffers are small, so that an answer does not fit.
    """
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            link = stack.enter_context(socket.socket())
            if not reads:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.settimeout(10)
            link.connect(("127.0.0.1", port))
            link.sendall(beginning)
        time.sleep(1)
        yield


def head(method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: gatepost", *lines, "", ""]).encode()


def crafted_jpeg(size: int) -> bytes:
    """A JPEG of nothing but Exif segments, which a library reads again for each of them."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    return b"\xff\xd8" + segment * (size // len(segment))


def test_forty_uploads_of_crafted_pictures(system, hostile, compare):
    frame = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = frame + crafted_jpeg(1_600_000) + b"\r\n--x--\r\n"
    lines = (
        "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {len(body)}",
        f"Authorization: Bearer {hostile}",
        "Connection: close",
    )
    upload = head("POST", "/api/media/upload.json", *lines) + body
    compare("40 uploads of crafted pictures", many(system.port, 40, upload))


def test_seven_hundred_strangers_who_send_one_byte(system, compare):
    beginning = head("POST", "/api/pay/acp", "Content-Length: 1000") + b"{"
    compare("700 anonymous sockets", sockets(system.port, 700, beginning))


def test_half_bodies_of_an_account(system, hostile, compare):
    beginning = (
        head(
            "POST", "/api/profile/lang.json", "Content-Type: application/json",
            "Content-Length: 1000", f"Authorization: Bearer {hostile}",
        )
        + b"{"
    )  # fmt: skip
    compare("700 half bodies of an account", sockets(system.port, 700, beginning))


def test_connections_that_say_nothing(system, compare):
    compare("1,500 silent connections", sockets(system.port, 1500, b""))


def test_readers_who_do_not_read_their_exports(system, hostile, door, compare):
    Updates(system.port, door).measure()
    eventually(lambda: system.one("SELECT count(*) FROM lead"), 20, "a lead")
    system.execute(_MORE_LEADS.format(account=int(hostile.partition("-")[0]), count=LEADS))
    asked = head("GET", "/api/leads/export.json", f"Authorization: Bearer {hostile}")
    compare("520 slow readers", sockets(system.port, 520, asked, reads=False))


def test_many_calls_of_an_account(system, hostile, compare):
    key, close = f"Authorization: Bearer {hostile}", "Connection: close"
    ask = head("GET", "/api/leads/list.json?limit=1000", key, close)
    compare("40 callers of leads/list", many(system.port, 40, ask))


# -- on SQLite, which has one writer ---------------------------------------------

UPDATES: Final = 100_000
_MORE_UPDATES: Final = """
    WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {count})
    INSERT INTO telegram_update (bot_id, update_id, body, received, state, reason)
    SELECT {bot}, 1000000000 + id, CAST('{{"message": {{"from": {{"id": ' || id || '}}}}}}' AS BLOB)
        , {now}, 1, NULL FROM n
"""


def test_a_loop_of_erasures_on_sqlite(start_system, compare):
    small = start_system("sqlite", WEB_CONCURRENCY="1")
    quiet = small.open_door(small.account("quiet"), TOKEN, "")
    key = small.account("hostile")
    door = small.open_door(key, "402:AAb-hostile-tenants-bot-01234567890123", "")
    small.execute(_MORE_UPDATES.format(count=UPDATES, bot=door.bot, now=int(time.time())))
    assert small.call(key, "leads/erase", subscriber=77) == {"count": 0}
    body = b'{"subscriber": 77}'
    lines = (
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Authorization: Bearer {key}",
        "Connection: close",
    )
    erase = head("POST", "/api/leads/erase.json", *lines) + body
    compare("a loop of leads/erase on SQLite", many(small.port, 4, erase), small.port, quiet)
    assert small.one("SELECT count(*) FROM telegram_update") >= UPDATES
