"""Faults that nobody expected, for whoever is to hear of them outside of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal

import redis

from app.database.faults import database_fault_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Takes a fault and the name of what failed.
Send = Callable[[BaseException, str], None]


class Faults:
    """Where unexpected faults go. Without anybody who listens, nowhere."""

    def __init__(self) -> None:
        self.on = False
        self._send: Send | None = None

    def start(self, send: Send | None) -> None:
        """Give faults to `send` from now on, or to nobody."""
        self._send = send
        self.on = send is not None

    def report(self, error: BaseException | None, label: str) -> None:
        """Tell of a fault, unless it is that of a database or a Redis which is away.

        `label` is the name of a log line, such as `request.failed`.
        """
        if self._send is None or error is None or isinstance(error, redis.RedisError):
            return
        if database_fault_of(error) is None:
            self._send(error, label)


class FaultReporting:
    """`with FaultReporting(faults, "thread.failed"):` tells of what leaves the block."""

    def __init__(self, to: Faults, label: str) -> None:
        self._to = to
        self._label = label

    def __enter__(self) -> None:
        """Nothing yet."""

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> Literal[False]:
        """Tell of an exception that is no request to end."""
        if isinstance(error, Exception):
            self._to.report(error, self._label)
        return False


class ReportsFaults:
    """A WSGI application that runs `application`, and tells of what it raises."""

    def __init__(self, application: WSGIApplication, to: Faults) -> None:
        self._application = application
        self._to = to

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        with FaultReporting(self._to, "request.crashed"):
            return self._application(environ, start_response)


#: Of this process.
faults: Final = Faults()
