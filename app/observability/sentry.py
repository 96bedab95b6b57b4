"""Faults on their way to Sentry. Imports its SDK.

Nothing of a request is sent, and no values of variables: an event is the exception with its
traceback, the version, and which log line tells of it. Texts are masked as in the log.
"""

import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import sentry_sdk
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration

from app.config import VERSION
from app.logs import mask
from app.observability.faults import Faults

#: Faults that one process tells of in a minute; the log has the others too.
MOST_A_MINUTE: Final = 30
#: Where PostgreSQL repeats the values of a row.
_VALUES: Final = re.compile(r"^(DETAIL|CONTEXT|LINE \d+):.*$", re.MULTILINE)


def start(dsn: str, process: str) -> Callable[[BaseException, str], None]:
    """Prepare the SDK; return what sends a fault. Its queue is bounded, its thread its own."""
    sentry_sdk.init(
        dsn,
        release=f"gatepost@{VERSION}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[DedupeIntegration(), ExcepthookIntegration()],
        # `send_default_pii` is False where it is not named; to name it is deprecated.
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        before_send=masked,
    )
    sentry_sdk.get_global_scope().set_tag("process", process)
    limit = MinuteLimit(MOST_A_MINUTE)

    def send(error: BaseException, label: str) -> None:
        if limit.allows(time.monotonic()):
            with sentry_sdk.new_scope() as scope:
                scope.set_tag("event", label)
                scope.capture_exception(error)

    return send


def stop(seconds: float) -> None:
    """Send what is queued, and wait for it no longer than `seconds`."""
    sentry_sdk.flush(timeout=seconds)


def masked(event: Any, _hint: Any = None) -> Any:
    """Return an event with all its texts masked as the log masks them."""
    if isinstance(event, dict):
        return {name: masked(value) for name, value in event.items()}
    if isinstance(event, list | tuple):
        return [masked(value) for value in event]
    return mask(_VALUES.sub(r"\1: ***", event)) if isinstance(event, str) else event


class MinuteLimit:
    """Lets so many pass in each minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._minute = -1.0
        self._count = 0

    def allows(self, now: float) -> bool:
        """Whether one more may pass at `now`, in seconds."""
        with self._lock:
            if now // 60 != self._minute:
                self._minute, self._count = now // 60, 0
            self._count += 1
            return self._count <= self._most


class LoggedFaults(logging.Handler):
    """Tells of each exception that is logged as an error."""

    def __init__(self, to: Faults) -> None:
        super().__init__(logging.ERROR)
        self._to = to

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of the exception of one line, if it has one."""
        if record.name.startswith("sentry_sdk"):
            return
        fields = record.msg if isinstance(record.msg, dict) else {}
        info = fields.get("exc_info") or record.exc_info
        if info is True:
            info = sys.exc_info()
        error = info[1] if isinstance(info, tuple) else info
        if isinstance(error, BaseException):
            self._to.report(error, str(fields.get("event") or record.name))
