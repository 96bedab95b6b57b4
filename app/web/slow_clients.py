"""Clients that take too long over a request are cut off.

granian ends slow headers (`--http1-header-read-timeout`), but by its author's
decision not slow bodies (github.com/emmett-framework/granian/issues/728), and
its WSGI interface neither tells which connection a request came by nor lets a
read be ended. So each web process looks at its own connections, as the kernel
tells of them in TCP_INFO: one on which nothing was answered for so long, and
next to nothing received, is shut down. So is one that takes next to nothing of
an answer that waits for it. What waits for it then wakes up.
"""

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog

log = structlog.get_logger()

#: Bytes a second at which a body or an answer may take its time: a telephone's.
SLOWEST: Final = 4096
LOOKS: Final = 4  # at each connection, in the time it is given
_DESCRIPTORS: Final = Path("/proc/self/fd")
#: tcpi_bytes_acked, tcpi_bytes_received, tcpi_notsent_bytes and tcpi_data_segs_out of struct
#: tcp_info, linux/tcp.h. Of an answer's beginning what we have sent, not what was acknowledged:
#: that comes 40 ms later, or never.
_COUNTERS: Final = struct.Struct("=120xQQ8xI8xI")


class Traffic(NamedTuple):
    """What went over one connection so far: bytes taken and received, segments sent.

    `unsent` are bytes of an answer that wait until the client takes more.
    """

    taken: int
    received: int
    unsent: int
    answered: int


class _Reader(NamedTuple):
    """Since when an answer has waited for its reader, and what they had taken before."""

    since: float
    before: int


@dataclass(slots=True)
class _Silence:
    """Since when nothing was answered on a connection, and what had been received before."""

    since: float
    answered: int
    before: int
    is_idle: bool = True

    def look(self, now: float, received: int) -> None:
        """Note that a request may have begun."""
        if self.is_idle and received > self.before:
            self.is_idle, self.since = False, now

    def is_too_long(self, now: float, seconds: float, received: int) -> bool:
        """Whether to end it.

        It lasts twice as long without a sign of a request: the sign may have
        come in the moment of the last answer, or it is idle, which is
        granian's to end.
        """
        lasted, allowed = now - self.since, seconds * (1 + self.is_idle)
        return lasted >= allowed and received - self.before < SLOWEST * lasted


class SlowClients:
    """Cuts clients of this process that get no answer for `seconds` and send too little."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._silences: dict[int, _Silence] = {}
        self._readings: dict[int, _Reader] = {}
        self._watched = False
        self._mutex = threading.Lock()

    def watch(self, environ: Mapping[str, Any]) -> None:
        """Look after the server of this request from now on, in a thread. Call it for each."""
        if self._watched:
            return
        with self._mutex:
            port = int(environ.get("SERVER_PORT") or 0)
            if not self._watched and sys.platform == "linux" and port:
                threading.Thread(
                    target=self._watch, args=(port,), name="slow-clients", daemon=True
                ).start()
            self._watched = True

    def _watch(self, port: int) -> None:
        try:
            while True:
                time.sleep(self._seconds / LOOKS)
                if cut := self._looked(port):
                    log.warning("clients.cut", count=cut)
        except struct.error:  # a kernel that tells less
            log.warning("clients.unwatched", reason="this system does not count bytes")

    def _looked(self, port: int) -> int:
        try:
            return self.look(port, time.monotonic())
        except OSError as error:  # out of descriptors: the moment in which we are wanted most
            log.warning("clients.unseen", reason=str(error))
            return 0

    def look(self, port: int, now: float) -> int:
        """Cut who has been too slow at `now`; how many."""
        before, self._silences, cut = self._silences, {}, 0
        reading, self._readings = self._readings, {}
        for number, connection in _connections(port):
            with connection:
                traffic, silence = _traffic(connection), before.get(number)
                if silence is None or traffic.answered != silence.answered:
                    received = traffic.received if traffic.answered else 0
                    silence = _Silence(now, traffic.answered, received)
                silence.look(now, traffic.received)
                is_read = self._is_read(number, traffic, reading.get(number), now)
                if not is_read or silence.is_too_long(now, self._seconds, traffic.received):
                    with suppress(OSError):  # it has gone by itself
                        connection.shutdown(socket.SHUT_RDWR)
                    cut += 1
                else:
                    self._silences[number] = silence
        return cut

    def _is_read(self, number: int, traffic: Traffic, reading: _Reader | None, now: float) -> bool:
        """Whether a client takes what we have for it, as fast as it must."""
        if not traffic.unsent:
            return True
        reading = reading or _Reader(now, traffic.taken)
        lasted = now - reading.since
        if lasted >= self._seconds:
            if traffic.taken - reading.before < SLOWEST * lasted:
                return False
            reading = _Reader(now, traffic.taken)
        self._readings[number] = reading
        return True


def _connections(port: int) -> Iterator[tuple[int, socket.socket]]:
    """The clients' connections to our `port`, each with a number of its own."""
    for file in list(_DESCRIPTORS.iterdir()):
        with suppress(OSError):  # it has been closed meanwhile
            if not str(file.readlink()).startswith("socket:"):
                continue
            connection = _duplicate(int(file.name))
            if _is_to(port, connection):
                yield os.fstat(connection.fileno()).st_ino, connection
            else:
                connection.close()


def _duplicate(number: int) -> socket.socket:
    descriptor = os.dup(number)
    try:
        return socket.socket(fileno=descriptor)
    except OSError:  # the number means something else by now
        os.close(descriptor)
        raise


def _is_to(port: int, connection: socket.socket) -> bool:
    """Whether a client has connected to us by it."""
    try:
        connection.getpeername()  # a listener has none
        return (
            connection.family in (socket.AF_INET, socket.AF_INET6)
            and connection.type == socket.SOCK_STREAM
            and connection.getsockname()[1] == port
        )
    except OSError:
        return False


def _traffic(connection: socket.socket) -> Traffic:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _COUNTERS.size)
    return Traffic(*_COUNTERS.unpack(info))
