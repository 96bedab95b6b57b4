"""Many HTTP exchanges at once, on libcurl's multi interface; nothing else opens connections.

Every address is checked when it is connected to (see `addresses`), redirects
are not followed, the environment's proxies are ignored, one deadline covers
everything from the name to the last byte, and nothing a server does raises.

A name with several addresses is tried one by one as libcurl does; forbidden
ones among them are never connected to, allowed ones are.
"""

import os
import resource
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Self

import certifi
import pycurl

from app.config import Opened
from app.outbound.curl_handle import Limits, Transfer
from app.outbound.curl_loop import CurlLoop
from app.outbound.result import Answer, Failure, Unsendable
from plugins.contract import Request

__all__ = ["Answer", "Failure", "Transport"]

#: How long the system asks for a name (resolv.conf(5)), unless the operator says otherwise.
#: libcurl looks names up on 20 threads, and one whose exchange is long over keeps its thread.
NAME_SERVERS: Final = "timeout:2 attempts:2"
_SPARE_FILES: Final = 128  # descriptors left for the rest of the process


def _ignore(_tag: object, _is_new: bool) -> None:
    pass


class _Begun(NamedTuple):
    """An exchange that is under way, and how many seconds nobody had looked when it began."""

    transfer: Transfer
    away_before: float


class Transport:
    """Sends requests and returns answers as they come. For one thread, after any fork.

    `allow` opens private ranges. `trusted` switches the address guard off: for
    the operator's own Bot API only. Times are seconds; `max_body` is bytes kept
    of an answer; `connections` bounds the open ones, further requests wait
    their turn. `ca_file` replaces the bundled authorities. `resolve` answers
    names in libcurl's own words (`name:port:address`), read at every start.
    """

    #: Told the tag of each request that needs its name no more: True, it connects; False, it
    #: goes over a connection that may have been open. May not raise.
    on_resolved: Callable[[object, bool], None] = staticmethod(_ignore)

    def __init__(
        self,
        *,
        allow: Sequence[Opened] = (),
        trusted: bool = False,
        connect_seconds: float = 3.0,
        total_seconds: float = 10.0,
        max_body: int = 16 * 1024,
        connections: int = 1024,
        ca_file: str = "",
        resolve: Sequence[str] = (),
    ) -> None:
        self._limits = Limits(
            tuple(allow), trusted, connect_seconds, total_seconds, max_body,
            ca_file or certifi.where(), resolve, self._on_name_found,
        )  # fmt: skip
        self._connections = _affordable(connections)
        self._idle: list[Transfer] = []
        self._in_flight: dict[Any, _Begun] = {}
        self._queue: deque[tuple[Request, object]] = deque()
        self._ready: list[Answer] = []
        self._is_closed = False
        self._names_pending = False
        os.environ.setdefault("RES_OPTIONS", NAME_SERVERS)
        self._loop = CurlLoop(self._connections)

    @property
    def in_flight(self) -> int:
        """How many answers are still to come."""
        return len(self._in_flight) + len(self._queue) + len(self._ready)

    def start(self, request: Request, tag: object) -> None:
        """Send `request`; its answer will carry `tag`. Never raises.

        What cannot be sent is answered at the next poll.
        """
        if len(self._in_flight) < self._connections:
            self._dispatch(request, tag)
        else:
            self._queue.append((request, tag))

    def advance(self) -> None:
        """Go on with what was started, without waiting; answers are kept for `poll`."""
        self._drive(0.0)

    def poll(self, seconds: float) -> list[Answer]:
        """Return all answers that are ready, waiting at most `seconds` for the first.

        Returns at once when nothing is in flight, and when another thread interrupts.
        """
        until = time.monotonic() + seconds
        self._drive(0.0)
        while self._in_flight and not (self._ready or self._loop.is_interrupted):
            left = until - time.monotonic()
            if left <= 0:
                break
            self._drive(left)
        self._loop.is_interrupted = False
        ready, self._ready = self._ready, []
        return ready

    def rest(self, seconds: float) -> None:
        """Wait at most so long, also while nothing is in flight; another thread may end it."""
        self._drive(seconds)
        self._loop.is_interrupted = False

    def interrupt(self) -> None:
        """End the poll or the rest that waits, or the next one. From any thread."""
        self._loop.interrupt()

    def abort(self) -> list[object]:
        """Drop everything unanswered, and return the tags."""
        tags = [answer.tag for answer in self._ready]
        tags += [begun.transfer.tag for begun in self._in_flight.values()]
        tags += [tag for _, tag in self._queue]
        for easy, begun in self._in_flight.items():
            self._names_pending |= not begun.transfer.is_connected
            self._loop.remove(easy)
            easy.close()
        self._in_flight.clear()
        self._queue.clear()
        self._ready.clear()
        return tags

    def exchange(self, requests: Iterable[Request], at_once: int = 32) -> Iterator[Answer]:
        """Send all `requests`, at most `at_once` in flight; answers as they come.

        Tags are indexes. Not to be mixed with calls of `start`.
        """
        waiting = enumerate(requests)
        while True:
            while self.in_flight < at_once and (following := next(waiting, None)):
                self.start(following[1], following[0])
            if not self.in_flight:
                return
            yield from self.poll(1.0)

    def close(self) -> None:
        """Drop everything and close all connections. May be called twice."""
        if self._is_closed:
            return
        self._is_closed = True
        self.abort()
        for transfer in self._idle:
            transfer.easy.close()
        self._idle.clear()
        if self._names_pending:
            threading.Thread(target=self._loop.close, daemon=True, name="transport-close").start()
        else:
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def _dispatch(self, request: Request, tag: object) -> None:
        transfer = self._idle.pop() if self._idle else Transfer(self._limits)
        if not self._in_flight:
            self._loop.attention.leave()
        try:
            transfer.load(request, tag)
            self._loop.add(transfer.easy)
        except Unsendable as error:
            self._refuse(transfer, tag, error.failure, error.reason)
        except (pycurl.error, ValueError, TypeError) as error:  # what libcurl cannot take
            self._refuse(transfer, tag, Failure.INVALID, "not a request HTTP can carry", str(error))
        else:
            away = self._loop.attention.seconds_away
            self._in_flight[transfer.easy] = _Begun(transfer, away)

    def _refuse(
        self, transfer: Transfer, tag: object, failure: Failure, reason: str, detail: str = ""
    ) -> None:
        transfer.easy.close()  # partly set up, so not used again
        self._ready.append(Answer(tag, None, failure, reason, 0, time.time(), detail))

    def _drive(self, seconds: float) -> None:
        """Wait at most `seconds` for something to happen; collect answers, start what waits."""
        for easy, code, message in self._loop.drive(seconds):
            transfer, away_before = self._in_flight.pop(easy)
            unseen = self._loop.attention.seconds_away - away_before
            self._names_pending |= code == pycurl.E_OPERATION_TIMEDOUT and not transfer.is_connected
            self._ready.append(transfer.finish(code, message, unseen))
            self._idle.append(transfer)
        while self._queue and len(self._in_flight) < self._connections:
            self._dispatch(*self._queue.popleft())

    def _on_name_found(self, tag: object, is_new: bool) -> None:
        self.on_resolved(tag, is_new)


def _affordable(connections: int) -> int:
    """Return how many connections this process may open files for, at most `connections`."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return connections
    return max(1, min(connections, files - _SPARE_FILES))
