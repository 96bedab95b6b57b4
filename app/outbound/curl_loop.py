"""libcurl's multi handle and the sockets and the timer that it waits for."""

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pycurl

_WATCH: Final = {
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}
_BROKEN: Final = select.EPOLLERR | select.EPOLLHUP
#: Whoever is away for less sees everything in time.
NOTED_SECONDS: Final = 0.1


class Attention:
    """Counts the seconds for which a loop did not look at what was in flight.

    Its thread also builds requests and reads answers. What ran out meanwhile may have been answered
    in time. `clock` returns seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = clock()
        #: All that were counted so far.
        self.seconds_away = 0.0

    def leave(self) -> None:
        """Note that from now on nobody looks; or that only now there is anything to see."""
        self._left = self._clock()

    def come_back(self) -> None:
        """Note that somebody looks again."""
        away = self._clock() - self._left
        if away >= NOTED_SECONDS:
            self.seconds_away += away


class CurlLoop:
    """Drives the handles that are added to it, over at most `connections` connections."""

    def __init__(self, connections: int) -> None:
        self._act_at: float | None = None
        self._watched: set[int] = set()
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._bell, select.EPOLLIN)
        self.attention = Attention()
        #: Whether `interrupt` was called since this was last set to False.
        self.is_interrupted = False
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, connections)
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self.add = self._multi.add_handle
        self.remove = self._multi.remove_handle

    def drive(self, seconds: float) -> Iterator[tuple[Any, int, str]]:
        """Wait for sockets, or for libcurl's own timer, at most `seconds`, and act.

        Yields each handle that has finished, removed, with libcurl's result (0 is success)
        and its message.
        """
        self.attention.come_back()
        if self._act_at is not None:
            seconds = min(seconds, max(0.0, self._act_at - time.monotonic()))
        for fd, seen in self._epoll.poll(seconds):
            if fd == self._bell:
                os.eventfd_read(self._bell)
                self.is_interrupted = True
                continue
            bits = pycurl.CSELECT_IN if seen & select.EPOLLIN else 0
            bits |= pycurl.CSELECT_OUT if seen & select.EPOLLOUT else 0
            bits |= pycurl.CSELECT_ERR if seen & _BROKEN else 0
            self._multi.socket_action(fd, bits)
        if self._act_at is not None and self._act_at <= time.monotonic():
            self._act_at = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        more = 1
        while more:
            more, good, bad = self._multi.info_read()
            for easy, code, message in [*((easy, 0, "") for easy in good), *bad]:
                self._multi.remove_handle(easy)
                yield easy, code, message
        self.attention.leave()

    def interrupt(self) -> None:
        """End the wait of `drive`, or the next one. From any thread."""
        os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        """Close libcurl, which waits here for names that are still being looked up."""
        self._multi.close()
        self._epoll.close()
        os.close(self._bell)

    # What libcurl calls. Neither may raise.

    def _on_watch(self, event: int, fd: int, _multi: object, _data: object) -> None:
        if event == pycurl.POLL_REMOVE:
            self._watched.discard(fd)
            with contextlib.suppress(OSError):  # closed already, so forgotten already
                self._epoll.unregister(fd)
        elif fd in self._watched:
            self._epoll.modify(fd, _WATCH[event])
        else:
            self._watched.add(fd)
            self._epoll.register(fd, _WATCH[event])

    def _on_timer(self, milliseconds: int) -> None:
        self._act_at = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
