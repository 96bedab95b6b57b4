"""Run a sandbox server in a thread of its own, with an event loop of its own."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Protocol

LOOPBACK = "127.0.0.1"
WAIT_SECONDS = 60  # for a server to listen, and for it to stop


class Server(Protocol):
    """Something that listens. Both methods run in the server's own event loop."""

    async def start(self, host: str, port: int) -> int:
        """Listen; 0 takes a free port. Returns the port, raises OSError if it is taken."""

    async def stop(self) -> None:
        """Stop listening, and break off what is not answered yet."""


@contextmanager
def running(server: Server, *, host: str = LOOPBACK, port: int = 0) -> Iterator[str]:
    """Serve while the block lasts. Yields the base URL, without a slash at its end.

    Raises OSError when the port is taken. A server may be stopped and started
    again; its log survives.
    """
    ready: Future[int] = Future()
    done = threading.Event()
    thread = threading.Thread(
        target=_serve, args=(server, host, port, ready, done), daemon=True, name="sandbox"
    )
    thread.start()
    try:
        yield f"http://{host}:{ready.result(WAIT_SECONDS)}"
    finally:
        done.set()
        thread.join(WAIT_SECONDS)


def _serve(server: Server, host: str, port: int, ready: Future[int], done: threading.Event) -> None:
    try:
        asyncio.run(_serve_until(server, host, port, ready, done))
    except OSError as error:
        if ready.done():
            raise
        ready.set_exception(error)


async def _serve_until(
    server: Server, host: str, port: int, ready: Future[int], done: threading.Event
) -> None:
    ready.set_result(await server.start(host, port))
    try:
        await asyncio.get_running_loop().run_in_executor(None, done.wait)
    finally:
        await server.stop()
