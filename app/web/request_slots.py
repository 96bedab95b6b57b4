"""Limits how many requests of a process run at once, not counting those that wait for a body.

The server runs each request in a thread of its own, and a thread that reads a body waits for
as long as the client likes. So there are many threads and few slots: a hundred clients that
send byte by byte hold a hundred threads, which cost next to nothing, and no slot.
`app.web.slow_clients` ends them.

Client addresses share the slots and the threads, `app.web.shares` says how.

A quarter of the threads is left to Telegram's updates, which take no slot: beyond three
quarters a request is refused before a byte of its body is read.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_content_length

from app.config import Network
from app.errors import TooManyRequests
from app.web.shares.addresses import sharer_behind
from app.web.shares.body_pieces import CHUNK, BodyPieces
from app.web.shares.fair_slots import FairSlots, ThreadShares
from app.web.shares.interpreter_queue import turn_given_back, turn_taken
from app.web.shares.refusals import RETRY_SECONDS, Refusals
from app.web.slow_clients import SlowClients

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Python runs one thread at a time, and the rest wait for the database; each more makes an
#: update wait longer for the interpreter.
MAX_CONCURRENT_REQUESTS: Final = 12
#: Threads of a process, by the Procfile.
THREADS: Final = 512
#: Tells a client, and the server, that this connection carries no more requests.
CLOSE: Final = ("Connection", "close")

#: `slot` is whose slot this thread has, `share` the semaphore of `share_held`.
_thread: Final = threading.local()


@contextlib.contextmanager
def slot_released() -> Iterator[None]:
    """Give the slot, and the account's share of them, back while the block waits for others.

    Hold nothing in the block that other requests wait for, such as a database connection.
    In a worker or a test, where no slots are taken, there is nothing to give back.
    """
    slot: tuple[FairSlots, str] | None = getattr(_thread, "slot", None)
    share: threading.Semaphore | None = getattr(_thread, "share", None)
    _thread.slot = _thread.share = None
    if share is not None:
        share.release()
    if slot is not None:
        slot[0].release(slot[1])
    with turn_given_back():
        try:
            yield
        finally:
            if share is not None:  # first: whoever waits for it holds no slot
                share.acquire()
            if slot is not None:
                slot[0].acquire(slot[1])
            _thread.slot, _thread.share = slot, share


@contextlib.contextmanager
def share_held(share: threading.Semaphore, seconds: float) -> Iterator[None]:
    """Hold `share` in the block; `slot_released` gives it back meanwhile.

    Whoever waits for it does so without a slot, and raises TooManyRequests after `seconds`.
    """
    if not share.acquire(blocking=False):
        with slot_released():
            if not share.acquire(timeout=seconds):
                raise TooManyRequests(RETRY_SECONDS)
    _thread.share = share
    try:
        yield
    finally:
        _thread.share = None
        share.release()


class RequestSlots:
    """A WSGI application that runs `application` in one of `slots`.

    Requests beyond three quarters of the server's `threads`, or beyond the share of their client's
    address, are refused. `proxies` are believed who their client is. A client that is too slow
    for `seconds` is cut off. Pages of `origins` may read a refusal. Only a real server needs this.
    """

    def __init__(
        self,
        application: WSGIApplication,
        seconds: float,
        *,
        slots: int = MAX_CONCURRENT_REQUESTS,
        threads: int = THREADS,
        proxies: tuple[Network, ...] = (),
        origins: Collection[str] = (),
    ) -> None:
        self._application = application
        self._proxies = proxies
        self._places = ThreadShares(max(1, threads * 3 // 4))
        self._slots = FairSlots(slots)
        self._slow_clients = SlowClients(seconds)
        self._refuse = Refusals(origins)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request when there is a slot for it."""
        self._slow_clients.watch(environ)
        body = environ["wsgi.input"] = GuardedBody(
            environ["wsgi.input"],
            get_content_length(environ),
            is_chunked="HTTP_TRANSFER_ENCODING" in environ,
        )

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [*headers, CLOSE] if body.is_unread else headers, *error)

        peer, forwarded = environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR")
        sharer = sharer_behind(peer or "", forwarded or "", self._proxies)
        has_room = self._places.enter(sharer)
        try:
            return self._run(sharer, environ, start) if has_room else self._refuse(environ, start)
        finally:
            self._places.leave(sharer)

    def _run(
        self, sharer: str, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        self._slots.acquire(sharer)
        _thread.slot = (self._slots, sharer)
        try:
            with turn_taken():
                return self._application(environ, start_response)
        finally:
            _thread.slot = None
            self._slots.release(sharer)


class GuardedBody:
    """The body that a client sends, of `length` bytes, or None if it did not say how many.

    `is_unread` while something of it may be left: the server then ends the connection behind
    the answer, and the answer must say so, or the client's next request on it is lost.

    Reading gives the slot back until the data is there.

    A body that ends too early raises ClientDisconnected: granian (2.8) gives
    what there is as if it were all, and half a form is a different form.
    """

    __slots__ = ("_left", "_pieces", "_source", "is_unread")

    def __init__(self, source: Any, length: int | None, *, is_chunked: bool = False) -> None:
        self._source = source
        self._left = length
        self._pieces = BodyPieces(is_measured=length is not None)
        self.is_unread = bool(length) or is_chunked

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes, or all; none at the end. Call it with a slot.

        Raises TooManyPieces for a body that is not worth its reads.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        if self._left == 0 or size == 0:
            return b""
        with slot_released():
            data = self._pieces.read(self._source, size)
        if self._left is not None:
            if not data:
                raise ClientDisconnected
            self._left = max(0, self._left - len(data))
        self.is_unread = self._left > 0 if self._left is not None else bool(data)
        return data
