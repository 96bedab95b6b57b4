"""Servers on loopback that behave as a test tells them, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Line:
    """One accepted connection."""

    socket: socket.socket
    over: threading.Event
    server: Server

    def read(self) -> bytes:
        """One request, or b"" when the client is gone."""
        seen = b""
        while b"\r\n\r\n" not in seen:
            chunk = self.socket.recv(65536)
            if not chunk:
                return b""
            seen += chunk
        head, _, body = seen.partition(b"\r\n\r\n")
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                while len(body) < int(line.partition(b":")[2]):
                    body += self.socket.recv(65536)
        self.server.requests.append(head + b"\r\n\r\n" + body)
        return head

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hang(self) -> None:
        self.over.wait(60)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


Behaviour = Callable[[Line], None]


@dataclass
class Server:
    """What a test knows of a running server."""

    host: str
    port: int
    scheme: str = "http"
    accepts: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def polite(line: Line) -> None:
    while line.read():
        line.say(OK)


def once(answer: bytes) -> Behaviour:
    """Answer the first request with these bytes and close."""

    def behave(line: Line) -> None:
        line.read()
        line.say(answer)

    return behave


@contextlib.contextmanager
def serving(
    behave: Behaviour,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Server]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    server = Server(host, listener.getsockname()[1], "https" if tls else "http")
    over = threading.Event()
    threads: list[threading.Thread] = []

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
            with spoken:
                behave(Line(spoken, over, server))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if over.is_set():
                connection.close()
                return
            connection.settimeout(60)
            server.accepts += 1
            threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        over.set()
        with contextlib.suppress(OSError):
            socket.create_connection((host, server.port), timeout=60).close()
        accepting.join(60)
        listener.close()
