"""The load generator: keep-alive HTTP/1.1 on raw asyncio protocols.

It shares the cores with what it measures, so it does little: requests are
made before the clock starts, and of an answer only status and length are read.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.audience import Subscriber

TRIES = 5
PAUSE_SECONDS = 0.1


class Kind(enum.StrEnum):
    """The kind of an update, named by the status of its postback."""

    START = "wait"
    JOIN = "approve"


@dataclass(slots=True)
class Job:
    """One update that is being sent."""

    who: Subscriber
    kind: Kind
    tries: int = 0

    @property
    def request(self) -> bytes:
        """The bytes to write."""
        return self.who.start if self.kind is Kind.START else self.who.join


class Line:
    """The order of sending. Nobody joins before their start was acknowledged.

    A join waits until more than `ahead` others could join as well: 0 lets it
    follow its start at once, as no person could; more spreads them in time.
    """

    def __init__(self, crowd: Sequence[Subscriber], ahead: int) -> None:
        self._starts = iter(crowd)
        self._joins: deque[Job] = deque()
        self._again: deque[Job] = deque()
        self._ahead = ahead

    def next(self) -> Job | None:
        """Return the next update to send, or None if none may be sent now."""
        if self._again:
            return self._again.popleft()
        if len(self._joins) > self._ahead:
            return self._joins.popleft()
        for who in self._starts:
            return Job(who, Kind.START)
        return self._joins.popleft() if self._joins else None

    def acknowledged(self, job: Job) -> None:
        """Its answer was 200."""
        if job.kind is Kind.START:
            self._joins.append(Job(job.who, Kind.JOIN))

    def failed(self, job: Job) -> bool:
        """It was not acknowledged. False if it was tried often enough."""
        job.tries += 1
        if job.tries < TRIES:
            self._again.append(job)
        return job.tries < TRIES


@dataclass(slots=True)
class Sent:
    """The figures of the generator. Times are monotonic seconds."""

    began: float = 0.0
    ended: float = 0.0
    acknowledged: int = 0
    repeated: int = 0
    refused: int = 0
    waits: list[float] = field(default_factory=list)  # seconds from request to answer
    at: dict[tuple[str, str], float] = field(default_factory=dict)  # first sent, by postback


class Wire(asyncio.Protocol):
    """One connection with at most one request in flight."""

    def __init__(self, load: Load) -> None:
        self.job: Job | None = None
        self._load = load
        self._since = 0.0
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready for the first job."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._load.idle(self)

    def send(self, job: Job, now: float) -> None:
        """Write one request; its answer comes to `data_received`."""
        self.job, self._since = job, now
        assert self._transport is not None
        self._transport.write(job.request)

    def data_received(self, data: bytes) -> None:
        """Collect an answer; pass it on when it is whole."""
        self._buffer += data
        if not _is_whole(self._buffer):
            return
        status, self._buffer = int(self._buffer[9:12]), b""
        job, self.job = self.job, None
        if job is not None:
            self._load.answered(job, status, time.monotonic() - self._since)
        self._load.idle(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Send the request again on another connection: the server has closed this one."""
        job, self.job = self.job, None
        self._load.dropped(self, job)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Load:
    """Drives a line of jobs over some connections: as fast as answered, or paced."""

    def __init__(self, port: int, line: Line, total: int, rate: float | None = None) -> None:
        self.sent = Sent()
        self._port = port
        self._line = line
        self._open = total
        self._rate = rate
        self._idle: deque[Wire] = deque()
        self._wires: set[Wire] = set()
        self._done = asyncio.Event()

    async def run(self, connections: int, progress: Callable[[int], None]) -> Sent:
        """Send everything; returns when the last update was acknowledged."""
        for _ in range(connections):
            await self._connect()
        self.sent.began = time.monotonic()
        pacing = asyncio.ensure_future(self._pace() if self._rate else self._flood())
        while not self._done.is_set():
            progress(self.sent.acknowledged)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), timeout=0.5)
        pacing.cancel()
        self.sent.ended = time.monotonic()
        for wire in list(self._wires):
            wire.close()
        return self.sent

    def idle(self, wire: Wire) -> None:
        """This connection has nothing to do."""
        self._wires.add(wire)
        self._idle.append(wire)
        if self._rate is None and self.sent.began:
            self._feed()

    def answered(self, job: Job, status: int, seconds: float) -> None:
        """An answer came. Anything but 2xx is sent again, a little later."""
        if not 200 <= status < 300:
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._again, job)
            return
        self.sent.acknowledged += 1
        self.sent.waits.append(seconds)
        self._line.acknowledged(job)
        self._settled(1)

    def dropped(self, wire: Wire, job: Job | None) -> None:
        """A connection is gone; put another in its place."""
        self._wires.discard(wire)
        if wire in self._idle:
            self._idle.remove(wire)
        if self._done.is_set():
            return
        if job is not None:
            self._again(job)
        task = asyncio.ensure_future(self._connect())
        task.add_done_callback(lambda _: None)

    def _again(self, job: Job) -> None:
        if self._line.failed(job):
            self.sent.repeated += 1
        else:
            self.sent.refused += 1
            self._settled(2 if job.kind is Kind.START else 1)  # then nobody will join either
        if self._rate is None:
            self._feed()

    def _settled(self, updates: int) -> None:
        self._open -= updates
        if self._open <= 0:
            self._done.set()

    def _feed(self) -> None:
        while self._idle:
            if (job := self._line.next()) is None:
                return
            self._send(job, time.monotonic())

    def _send(self, job: Job, now: float) -> None:
        self.sent.at.setdefault((job.who.click, job.kind.value), now)
        self._idle.popleft().send(job, now)

    async def _flood(self) -> None:
        self._feed()

    async def _pace(self) -> None:
        """Send at even steps. Latency counts from when a step was due."""
        assert self._rate is not None
        step = 1 / self._rate
        due = time.monotonic()
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if self._idle and (job := self._line.next()) is not None:
                self._send(job, due)
                due += step
            else:
                await asyncio.sleep(0.001)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        for attempt in range(TRIES):
            try:
                await loop.create_connection(lambda: Wire(self), "127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(PAUSE_SECONDS * 2**attempt)
            else:
                return


def _is_whole(answer: bytes) -> bool:
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = answer[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        size = int(head[at + 17 :].split(b"\r\n", 1)[0])
        return len(answer) >= end + 4 + size
    if b"\r\ntransfer-encoding:" in head:
        return answer.endswith(b"0\r\n\r\n")
    return True
