"""From an ad to a postback: visitors press its link, join by the link they got, and are reported.

First the door `/c/` alone at a steady rate, its links from the pool; then the whole chain. Each
visitor has an address of their own, as X-Forwarded-For tells it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]

from app.sandbox.telegram import people
from bench import system
from bench.audience import FIRST_PERSON, Door, posted
from bench.measure import Meter, heading, percentile
from bench.sink import Sink

BOTS: Final = 10
RATE: Final = 200.0  # presses a second at the door
CHAIN_RATE: Final = 50.0  # visitors a second through the whole chain
PRESSES: Final = 3_000
VISITORS: Final = 500
FEW: Final = 100  # of each, in a quick run
WARM_UP: Final = 50
CONNECTIONS: Final = 32
PATIENCE: Final = 20.0  # seconds without a postback until the missing are lost
_FIRST_UPDATE: Final = 200_000_000


@dataclass(slots=True)
class Pressed:
    """What visitors saw. Times are milliseconds from the moment at which each was due."""

    links: dict[str, str] = field(default_factory=dict)  # by click
    waits: list[float] = field(default_factory=list)
    without_link: int = 0


class Presses:
    """Starts a system of its own, fills its pools, and keeps what the marks ask for."""

    def __init__(self, folder: Path, postgres: system.Postgres, sink: Sink) -> None:
        self._folder = folder
        self._postgres = postgres
        self._sink = sink
        self._numbers = itertools.count(1)
        self._meter: Meter
        self.values: dict[str, float] = {}

    def run(self, *, quick: bool) -> None:
        """Measure both."""
        presses, visitors = (FEW, FEW) if quick else (PRESSES, VISITORS)
        heading("From the link of an ad to a postback")
        links = (WARM_UP + presses + visitors) // BOTS + 10
        with self._gatepost(links) as (running, codes):
            client = Client(running.port)
            asyncio.run(self._press(client, codes, WARM_UP, RATE))
            before = self._meter.cpu()
            pressed = asyncio.run(self._press(client, codes, presses, RATE))
            self._tell_presses(pressed)
            self._tell_cpu(before, presses)
            self._chain(client, running.doors, codes, visitors)

    @contextlib.contextmanager
    def _gatepost(self, links: int) -> Iterator[tuple[system.Running, list[str]]]:
        database = self._postgres.fresh("presses_bench")
        with contextlib.ExitStack() as stack:
            url, redis_pid = stack.enter_context(system.redis(self._folder))
            running = stack.enter_context(
                system.gatepost(self._folder, database, url, self._sink, BOTS)
            )
            parts = running.parts | {"redis": [redis_pid], "postgresql": [self._postgres.pid]}
            self._meter = Meter(parts, {"load generator": [psutil.Process().pid]})
            environ = system.environment(database, url)
            printed = system.run_module("bench.pooled", ["--links", str(links)], environ)
            yield running, json.loads(printed.splitlines()[-1])

    async def _press(self, client: Client, codes: list[str], count: int, rate: float) -> Pressed:
        pressed = Pressed()

        async def press(number: int, due: float) -> None:
            await self._visit(client, codes, number, due, pressed)

        await client.paced(press, count, rate)
        return pressed

    async def _visit(
        self, client: Client, codes: list[str], number: int, due: float, pressed: Pressed
    ) -> str:
        visitor = next(self._numbers)
        click = f"press{visitor:07d}"
        link = await client.get(f"/c/{codes[number % len(codes)]}?click={click}", visitor)
        pressed.waits.append(1000 * (time.monotonic() - due))
        pressed.links[click] = link
        pressed.without_link += not link.startswith("https://t.me/+")
        return click

    def _tell_presses(self, pressed: Pressed) -> None:
        waits = sorted(pressed.waits)
        p50, p95 = percentile(waits, 0.50), percentile(waits, 0.95)
        print(
            f"{len(waits):,} presses at {RATE:,.0f}/s: p50 {p50:.1f} ms, p95 {p95:.1f} ms,"
            f" {pressed.without_link} without an invite link",
            flush=True,
        )
        self.values |= {"press p95": p95, "faults": pressed.without_link}

    def _tell_cpu(self, before: dict[str, float], presses: int) -> None:
        """Tell the CPU time of each part. Unlike p95 it hardly depends on who else is there."""
        after = self._meter.cpu()
        parts = {part: 1000 * (after[part] - before[part]) / presses for part in after}
        each = ", ".join(f"{part} {ms:.2f}" for part, ms in parts.items())
        print(f"CPU ms a press: {each}", flush=True)

    def _chain(self, client: Client, doors: list[Door], codes: list[str], visitors: int) -> None:
        pressed, joined = Pressed(), {}
        self._sink.take()

        async def come(number: int, due: float) -> None:
            click = await self._visit(client, codes, number, due, pressed)
            joined[click] = time.monotonic()
            await client.post(_join(doors[number % len(doors)], number, pressed.links[click]))

        asyncio.run(client.paced(come, visitors, CHAIN_RATE))
        end = time.monotonic() + PATIENCE
        while self._sink.count() < visitors and time.monotonic() < end:
            time.sleep(0.1)
        hits = [hit for hit in self._sink.take() if hit.status == "approve"]
        first = {hit.click: hit.at for hit in reversed(hits)}
        waits = sorted(1000 * (first[click] - at) for click, at in joined.items() if click in first)
        lost, doubled = visitors - len(waits), len(hits) - len(first)
        p50, p95 = percentile(waits, 0.50), percentile(waits, 0.95)
        print(
            f"{visitors:,} visitors at {CHAIN_RATE:,.0f}/s: join to postback p50 {p50:.1f} ms, p95"
            f" {p95:.1f} ms; lost {lost}, doubled {doubled}",
            flush=True,
        )
        self.values |= {"chain p50": p50, "chain p95": p95}
        self.values["faults"] += lost + doubled


def _join(door: Door, number: int, link: str) -> bytes:
    """The update of a join by a link."""
    person = people.Person(FIRST_PERSON + 500_000_000 + number, username=f"visitor_{number}")
    chat = people.Chat(door.chat, "A channel worth joining")
    update = people.join(person, chat, int(time.time()), how=people.by_link(link))
    return posted(door, _FIRST_UPDATE + number, update)


class Client:
    """Keep-alive HTTP/1.1 over some connections, one request on each at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]

    async def paced(
        self, act: Callable[[int, float], Awaitable[object]], count: int, rate: float
    ) -> None:
        """Begin `act` for each number at even steps; returns when all have ended."""
        self._idle = asyncio.Queue()
        for _ in range(CONNECTIONS):
            self._idle.put_nowait(await asyncio.open_connection("127.0.0.1", self._port))
        begun, tasks = time.monotonic(), []
        for number in range(count):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.append(asyncio.ensure_future(act(number, due)))
        await asyncio.gather(*tasks)
        while not self._idle.empty():
            self._idle.get_nowait()[1].close()

    async def get(self, path: str, visitor: int) -> str:
        """Open a link as a browser at an address of its own; returns where it leads."""
        address = f"10.{visitor // 65536 % 256}.{visitor // 256 % 256}.{visitor % 256}"
        head = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0\r\n"
            f"X-Forwarded-For: {address}\r\n\r\n"
        )
        answer = await self._exchange(head.encode())
        for line in answer.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"location":
                return value.strip().decode()
        return ""

    async def post(self, request: bytes) -> None:
        """Send a finished request."""
        await self._exchange(request)

    async def _exchange(self, request: bytes) -> bytes:
        """The head of the answer."""
        reader, writer = await self._idle.get()
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n", 1)[0]
            await reader.readexactly(int(length or b"0"))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            head = b""
        self._idle.put_nowait((reader, writer))
        return head
