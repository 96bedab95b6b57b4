"""Ports behind which the tests' Redis is: in clear, or over TLS with a certificate of its own."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import redis

from tests.support.certificates import self_signed


@contextlib.contextmanager
def redis_port(url: str, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve a port of 127.0.0.1 that leads to the Redis at `url`, with `context` over TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server, url, context), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def tls_context(folder: Path) -> ssl.SSLContext:
    """What a server needs to speak TLS; its certificate is signed by nobody known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(folder, "127.0.0.1"))
    return context


def accept(server: socket.socket, url: str, context: ssl.SSLContext | None) -> None:
    """Serve until the port is closed."""
    while True:
        try:
            line, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(line, url, context), daemon=True).start()


def serve(line: socket.socket, url: str, context: ssl.SSLContext | None) -> None:
    """Pass the bytes of both sides on until one of them is done."""
    upstream = redis.Redis.from_url(url).connection_pool.make_connection()
    upstream.connect()
    try:
        end = context.wrap_socket(line, server_side=True) if context else line
    except OSError:
        line.close()
        upstream.disconnect()
        return
    with end:
        back = threading.Thread(target=pass_on, args=(upstream._sock, end))
        back.start()
        pass_on(end, upstream._sock)
        back.join()
    upstream.disconnect()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Copy until the source ends, then end the target."""
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
