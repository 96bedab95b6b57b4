"""Requests take turns at the work, and whoever waits for a client gives its turn away.

The server runs each request in a thread of its own, and a thread that reads a
body waits for as long as the client likes. So there are many threads and few
turns: a hundred clients that send byte by byte hold a hundred threads, which
cost next to nothing, and no turn. `app.web.slow_clients` ends them.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_content_length

from app.web.slow_clients import SlowClients

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Requests of one process that work at the same time: a little more than it
#: has connections to the database, for not all of them want one.
MAX_CONCURRENT_REQUESTS: Final = 32
PIECE: Final = 64 * 1024

#: A queue of tokens is a semaphore at a tenth of the price of threading's.
Tokens = SimpleQueue[None]
#: `turns` of a thread are those it has one of.
_mine: Final = threading.local()


@contextlib.contextmanager
def slot_released() -> Iterator[None]:
    """Wait for somebody else's server without a turn. Hold nothing that others wait for."""
    slots: Tokens | None = getattr(_mine, "slots", None)
    if slots is None:  # a worker, or a test: no turns are taken there
        yield
        return
    _mine.slots = None
    slots.put(None)
    try:
        yield
    finally:
        slots.get()
        _mine.slots = slots


class RequestSlots:
    """A WSGI application around `application`; `seconds` is what a slow client gets.

    Only a real server needs it: put it around the application there.
    """

    def __init__(
        self, application: WSGIApplication, seconds: float, *, slots: int = MAX_CONCURRENT_REQUESTS
    ) -> None:
        self._application = application
        self._slots: Tokens = SimpleQueue()
        for _ in range(slots):
            self._slots.put(None)
        self._slow_clients = SlowClients(seconds)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request when there is a turn for it."""
        self._slow_clients.watch(environ)
        length = get_content_length(environ)
        environ["wsgi.input"] = GuardedBody(environ["wsgi.input"], length, self._slots)
        self._slots.get()
        _mine.slots = self._slots
        try:
            return self._application(environ, start_response)
        finally:
            _mine.slots = None
            self._slots.put(None)


class GuardedBody:
    """What the client sends, `length` bytes of it; None if it did not say how many.

    A body that ends too early raises ClientDisconnected: granian (2.8) gives
    what there is as if it were all, and half a form is a different form.
    """

    __slots__ = ("_left", "_slots", "_source")

    def __init__(self, source: Any, length: int | None, slots: Tokens) -> None:
        self._source = source
        self._left = length
        self._slots = slots

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, or all; fewer only at the end. Its thread has a turn."""
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        if self._left == 0 or size == 0:
            return b""
        self._slots.put(None)
        try:
            data: bytes = self._source.read(size)
        finally:
            self._slots.get()
        if self._left is not None:
            if not data:
                raise ClientDisconnected
            self._left = max(0, self._left - len(data))
        return data
