"""The tracker's side: answers 200 and remembers when each postback came.

Runs as a process of its own (`python -m bench.sink`), so that its CPU time
can be told from the system's, and prints the port it listens on. A postback
is a GET of `/pb?…`; `/hang?…` gets no answer; `/count` and `/take` are for the
benchmark; whatever else comes is answered and only counted.
"""

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app.services.bots.webhooks import ALLOWED_UPDATES
from bench.audience import Door

ROOT = Path(__file__).resolve().parent.parent
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


class Book:
    """What has come so far."""

    def __init__(self) -> None:
        self.hits: list[tuple[float, bytes]] = []
        self.others = 0
        self.webhooks: dict[bytes, bytes] = {}  # what was registered, by the path of the bot
        self._named: Counter[bytes] = Counter()
        self._read = 0

    def count(self, name: bytes) -> int:
        """How many came whose click begins with `name` and a hyphen; all without a name."""
        if not name:
            return len(self.hits)
        for _, target in self.hits[self._read :]:
            self._named[target.partition(b"click=")[2].partition(b"-")[0]] += 1
        self._read = len(self.hits)
        return self._named[name]

    def take(self) -> bytes:
        """Everything since the last call, a line each: time, space, target."""
        lines = [b"%r %s" % (moment, target) for moment, target in self.hits]
        self.hits, self._named, self._read = [], Counter(), 0
        return b"\n".join(lines)


class Reception(asyncio.Protocol):
    """One keep-alive connection of HTTP/1.1. Reads as little as it may."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every whole request in the buffer."""
        buffer = self._buffer + data if self._buffer else data
        answers = []
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            whole = end + 4 + (0 if buffer.startswith(b"GET ") else _body_size(buffer[:end]))
            if len(buffer) < whole:
                break
            if not buffer.startswith(b"GET /hang?"):
                answers.append(self._answer(buffer, whole))
            buffer = buffer[whole:]
        self._buffer = buffer
        if answers and self._transport is not None:
            self._transport.write(b"".join(answers))

    def _answer(self, request: bytes, whole: int) -> bytes:
        target = request[: request.index(b"\r\n")].split(b" ", 2)[1]
        if target.startswith(b"/pb?"):
            self._book.hits.append((time.monotonic(), target))
            return _ANSWER
        if target.startswith(b"/count"):
            return _answer_with(b"%d" % self._book.count(target.partition(b"?")[2]))
        if target == b"/take":
            return _answer_with(self._book.take())
        self._book.others += 1
        if not target.startswith(b"/bot"):
            return _ANSWER
        bot, _, method = target.rpartition(b"/")
        if method == b"setWebhook":
            self._book.webhooks[bot] = request[:whole].partition(b"\r\n\r\n")[2]
        result = b"true"
        if method == b"getWebhookInfo":
            result = self._book.webhooks.get(bot, result)
        return _answer_with(b'{"ok":true,"result":%s}' % result)


def _answer_with(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def _body_size(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


@dataclass(frozen=True, slots=True)
class Hit:
    """One postback that came. `at` is monotonic, comparable on this machine."""

    at: float
    click: str
    status: str


class Sink:
    """The benchmark's hand on the sink process."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid

    def count(self, name: str = "") -> int:
        """How many postbacks came since the last `take`, or those of one group of clicks."""
        return int(self._get(f"/count?{name}"))

    def take(self) -> list[Hit]:
        """The postbacks since the last call, in the order of their arrival."""
        return [_read(line) for line in self._get("/take").splitlines()]

    @property
    def template(self) -> str:
        """The postback template that serves all five statuses."""
        return f"http://127.0.0.1:{self.port}/pb?click={{click}}&status={{status}}&lead={{lead}}"

    def remember_webhooks(self, doors: Sequence[Door], public_url: str) -> None:
        """Let the made-up Telegram know the webhooks of bots that were never registered there."""
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(wire):
            for door in doors:
                url = f"{public_url}/telegram/{door.path}"
                webhook = {"url": url, "allowed_updates": ALLOWED_UPDATES}
                wire.request("POST", f"/bot{door.bot}:bench-token/setWebhook", json.dumps(webhook))
                wire.getresponse().read()

    def _get(self, path: str) -> str:
        wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(wire):
            wire.request("GET", path)
            return wire.getresponse().read().decode("utf-8", "replace")


def _read(line: str) -> Hit:
    moment, _, target = line.partition(" ")
    query = parse_qs(urlsplit(target).query)
    return Hit(float(moment), query.get("click", [""])[0], query.get("status", [""])[0])


@contextlib.contextmanager
def running(hosts: int = 1) -> Iterator[Sink]:
    """A sink in a process of its own, for as long as the block lasts.

    It listens on so many addresses of the loopback, which a sender takes for hosts.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sink", str(hosts)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield Sink(int(process.stdout.readline()), process.pid)
        finally:
            process.terminate()


async def serve(hosts: int) -> None:
    """Listen on a free port of the loopback's first addresses until killed."""
    book = Book()
    loop = asyncio.get_running_loop()

    async def listen(address: str, port: int) -> asyncio.Server:
        return await loop.create_server(lambda: Reception(book), address, port, backlog=2048)

    server = await listen("127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    others = [await listen(f"127.0.0.{2 + number}", port) for number in range(hosts - 1)]
    print(port, flush=True)
    async with server:
        await asyncio.gather(server.serve_forever(), *(one.serve_forever() for one in others))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1])))
