"""Attacks that keep a web process busy do not reach Telegram's updates.

Each attack is driven against one web process with the default settings, by a process of lowest
priority. The time that a quiet tenant's update takes, from the connection to the 200, is measured
by turns before and while it goes on, since the machine's pace changes from second to second; both
are printed side by side. They are compared with each other only, never with a number of seconds.

Attacker, database and workers share the machine's cores with the web process. What that costs
alone is seen at a bystander, a process that answers at once and is asked at the same moments: by
what its answers take longer, an update may take longer too.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import json
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
import requests

from app.sandbox.telegram import people
from tests.journeys.crowd import post
from tests.journeys.system import Door, System
from tests.support import ROOT
from tests.support.waiting import eventually

TOKEN = "401:AAa-quiet-tenants-bot-0123456789012345"
#: How many times the quiet figure an update may take while the attack goes on.
RATIO: Final = 3.0
#: Below these the machine's own noise is larger than what is measured: of the median, of the
#: 95th percentile, and of the slowest.
FLOOR_SECONDS: Final = (0.005, 0.01, 0.3)
FIGURES: Final = ("p50", "p95", "slowest")
SAMPLES: Final = 40
#: Quiet and attacked by turns, until the median of the ratios is kept, or this often at most. A
#: machine that has other work spoils a round, and a fault spoils them all.
ROUNDS: Final = (3, 7)
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
    bystander: int
    number: int = 1_000_000

    def measure(self) -> tuple[Figures, Figures]:
        """Seconds from the connection to the 200, and to the bystander's word by turns."""
        took, control = [], []
        for _ in range(SAMPLES):
            began = time.perf_counter()
            with socket.create_connection(("127.0.0.1", self.bystander), timeout=60) as link:
                link.sendall(b"there?")
                assert link.recv(16) == b"here"
            control.append(time.perf_counter() - began)
            self.number += 1
            body = {
                "update_id": self.number,
                **people.start(people.Person(self.number), self.door.code),
            }
            wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            began = time.perf_counter()
            status = post(wire, self.door, json.dumps(body).encode())
            took.append(time.perf_counter() - began)
            wire.close()
            assert status == 200
        return figures_of(took), figures_of(control)


Figures = tuple[float, ...]
#: Of updates and of the bystander.
Measured = tuple[Figures, Figures]


def figures_of(took: list[float]) -> Figures:
    """The median, the 95th percentile, and the slowest."""
    return statistics.median(took), statistics.quantiles(took, n=20)[-1], max(took)


Attack = Callable[[], contextlib.AbstractContextManager[object]]


def ratios(rounds: list[tuple[Measured, Measured]]) -> Figures:
    """By how much each figure is larger while the attack goes on: the median of the rounds.

    What the bystander's grew by is the machine's.
    """

    def ratio(quiet: Measured, during: Measured, place: int, floor: float) -> float:
        machines = max(0.0, during[1][place] - quiet[1][place])
        return (during[0][place] - machines) / max(quiet[0][place], floor)

    return tuple(
        statistics.median(ratio(*each, place, floor) for each in rounds)
        for place, floor in enumerate(FLOOR_SECONDS)
    )


@pytest.fixture(scope="module")
def bystander() -> Iterator[int]:
    """The port of a process that has nothing to do but to answer."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.bystander"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


@pytest.fixture
def compare(system, door, bystander, capsys) -> Callable[..., None]:
    """`compare("name", attack)`: the figures before and during, printed, and their ratio kept."""

    def run(name: str, attack: Attack, port: int = system.port, tenant: Door = door) -> None:
        updates, rounds = Updates(port, tenant, bystander), []
        updates.measure()  # connections, caches
        least, most = ROUNDS
        while len(rounds) < least or (len(rounds) < most and max(ratios(rounds)) > RATIO):
            quiet = updates.measure()
            with attack():
                rounds.append((quiet, updates.measure()))
        with capsys.disabled():
            for place, figure in enumerate(FIGURES):
                (before, idle), (during, busy) = (
                    [
                        statistics.median(one[which][place] for one in column) * 1000
                        for which in (0, 1)
                    ]
                    for column in zip(*rounds, strict=True)
                )
                sys.stdout.write(f"\n{name}: {figure} {before:.0f} ms quiet, {during:.0f} during")
                sys.stdout.write(f"; of a bystander {idle:.1f} and {busy:.1f}")
            sys.stdout.write(f"\n{name}: {max(ratios(rounds)):.1f} times, {len(rounds)} rounds\n")
        assert max(ratios(rounds)) <= RATIO

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


def posted(path: str, key: str, media_type: str, body: bytes) -> bytes:
    """A POST of an account, whole."""
    lines = (
        f"Content-Type: {media_type}",
        f"Content-Length: {len(body)}",
        f"Authorization: Bearer {key}",
        "Connection: close",
    )
    return head("POST", path, *lines) + body


def crafted_jpeg(size: int) -> bytes:
    """A JPEG of nothing but Exif segments, which a library reads again for each of them."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    return b"\xff\xd8" + segment * (size // len(segment))


def test_forty_uploads_of_crafted_pictures(system, hostile, compare):
    frame = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = frame + crafted_jpeg(1_600_000) + b"\r\n--x--\r\n"
    media_type = "multipart/form-data; boundary=x"
    upload = posted("/api/media/upload.json", hostile, media_type, body)
    compare("40 uploads of crafted pictures", lambda: many(system.port, 40, upload))


def test_seven_hundred_strangers_who_send_one_byte(system, compare):
    beginning = head("POST", "/api/pay/acp", "Content-Length: 1000") + b"{"
    compare("700 anonymous sockets", lambda: sockets(system.port, 700, beginning))


def test_a_crowd_behind_one_address_is_refused_and_others_are_answered(system):
    """They hold all the threads that one address may have, and wait for bodies without a slot."""
    beginning = head(
        "POST", "/api/profile/lang.json", "Content-Type: application/json",
        "Content-Length: 1000", "X-Forwarded-For: 198.51.100.7",
        f"Authorization: Bearer {system.account('crowd')}",
    )  # fmt: skip
    press = functools.partial(requests.get, f"{system.url}/c/nowhere", timeout=60)
    crowds, another = ({"X-Forwarded-For": address} for address in ("198.51.100.7", "198.51.100.8"))
    with sockets(system.port, 700, beginning + b"{"):
        eventually(lambda: press(headers=crowds).status_code == 429, 30, "a refusal")
        assert press(headers=another).status_code == 404
        answered = press(headers=another | {"X-Forwarded-For": "9.9.9.9, 198.51.100.9"})
        assert answered.status_code == 404
    eventually(lambda: press(headers=crowds).status_code == 404, 30, "room for them again")


def test_half_bodies_of_an_account(system, hostile, compare):
    beginning = (
        head(
            "POST", "/api/profile/lang.json", "Content-Type: application/json",
            "Content-Length: 1000", f"Authorization: Bearer {hostile}",
        )
        + b"{"
    )  # fmt: skip
    compare("700 half bodies of an account", lambda: sockets(system.port, 700, beginning))


def test_connections_that_say_nothing(system, compare):
    compare("1,500 silent connections", lambda: sockets(system.port, 1500, b""))


def test_readers_who_do_not_read_their_exports(system, hostile, door, bystander, compare):
    Updates(system.port, door, bystander).measure()
    eventually(lambda: system.one("SELECT count(*) FROM lead"), 20, "a lead")
    system.execute(_MORE_LEADS.format(account=int(hostile.partition("-")[0]), count=LEADS))
    asked = head("GET", "/api/leads/export.json", f"Authorization: Bearer {hostile}")
    compare("520 slow readers", lambda: sockets(system.port, 520, asked, reads=False))


def test_many_calls_of_an_account(system, hostile, compare):
    key, close = f"Authorization: Bearer {hostile}", "Connection: close"
    ask = head("GET", "/api/leads/list.json?limit=1000", key, close)
    compare("40 callers of leads/list", lambda: many(system.port, 40, ask))


def test_forty_strangers_who_press_the_link_of_an_ad(system, door, compare):
    key = system.account("advertiser")
    theirs = system.open_door(key, "403:AAc-advertisers-bot-0123456789012345", "")
    code = system.call(key, "sources/add", campaign=theirs.campaign, title="Reels")["code"]
    press = head("GET", f"/c/{code}?utm_source=x", "User-Agent: Mozilla/5.0", "Connection: close")
    compare("40 strangers at the link of an ad", lambda: many(system.port, 40, press))


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
    erase = posted("/api/leads/erase.json", key, "application/json", b'{"subscriber": 77}')
    compare(
        "a loop of leads/erase on SQLite", lambda: many(small.port, 4, erase), small.port, quiet
    )
    assert small.one("SELECT count(*) FROM telegram_update") >= UPDATES


def test_many_readers_of_an_account_on_sqlite(start_system, compare):
    """A list that takes long to read keeps no writer away."""
    small = start_system("sqlite", WEB_CONCURRENCY="1")
    quiet = small.open_door(small.account("quiet"), TOKEN, "")
    key = small.account("hostile")
    door = small.open_door(key, "402:AAb-hostile-tenants-bot-01234567890123", "")
    pairs = "&".join(f"k{number}={{click}}&v{number}=Ab1xZ9Ab1xZ9Ab1xZ9" for number in range(40))
    urls = dict.fromkeys(("wait", "hold", "approve", "cancel"), f"http://127.0.0.1:9/pb?{pairs}")
    for place in [{}, {"campaign": door.campaign}] * 20:
        small.call(key, "dest/add", tracker="url_template", settings={"urls": urls}, **place)
    bearer, close = f"Authorization: Bearer {key}", "Connection: close"
    ask = head("GET", "/api/dest/list.json?limit=200", bearer, close)
    compare(
        "40 readers of dest/list on SQLite", lambda: many(small.port, 40, ask), small.port, quiet
    )
