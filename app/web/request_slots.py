"""Limits how many requests of a process run at once, not counting those that wait for a body.

The server runs each request in a thread of its own, and a thread that reads a body waits for
as long as the client likes. So there are many threads and few slots: a hundred clients that
send byte by byte hold a hundred threads, which cost next to nothing, and no slot.
`app.web.slow_clients` ends them.
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

#: A little more than a process has connections to the database, for not every request
#: needs one.
MAX_CONCURRENT_REQUESTS: Final = 32
CHUNK: Final = 64 * 1024

#: A queue of tokens is a semaphore at a tenth of the price of threading's.
Tokens = SimpleQueue[None]
#: `slots` is the queue that the slot of this thread was taken from.
_thread: Final = threading.local()


@contextlib.contextmanager
def slot_released() -> Iterator[None]:
    """Give the slot back while the block waits for another server.

    Hold nothing in the block that other requests wait for, such as a database connection.
    """
    slots: Tokens | None = getattr(_thread, "slots", None)
    if slots is None:  # in a worker or a test, where no slots are taken
        yield
        return
    _thread.slots = None
    slots.put(None)
    try:
        yield
    finally:
        slots.get()
        _thread.slots = slots


class RequestSlots:
    """A WSGI application that runs `application` in one of `slots`.

    A client that is too slow for `seconds` is cut off. Only a real server needs this.
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
        """Answer one request when there is a slot for it."""
        self._slow_clients.watch(environ)
        length = get_content_length(environ)
        environ["wsgi.input"] = GuardedBody(environ["wsgi.input"], length, self._slots)
        self._slots.get()
        _thread.slots = self._slots
        try:
            return self._application(environ, start_response)
        finally:
            _thread.slots = None
            self._slots.put(None)


class GuardedBody:
    """The body that a client sends, of `length` bytes, or None if it did not say how many.

    Reading gives the slot back until the data is there.

    A body that ends too early raises ClientDisconnected: granian (2.8) gives
    what there is as if it were all, and half a form is a different form.
    """

    __slots__ = ("_left", "_slots", "_source")

    def __init__(self, source: Any, length: int | None, slots: Tokens) -> None:
        self._source = source
        self._left = length
        self._slots = slots

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes, or all; fewer only at the end. Call it with a slot."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
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
