"""How long the other threads keep one of Telegram's updates from the interpreter.

An update needs the interpreter some six times, and waits each time until every busy thread
before it has had its interval. A short interval costs the busy threads up to half of their
time, so it holds only for the milliseconds that an update takes.

A full collection of garbage holds all threads until it has looked at every object. With what is
loaded at the start that is 200,000 objects and 0.1 s or more, so these are left out from then on.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from sqlalchemy.orm import configure_mappers

from app.web.telegram_webhook import PREFIX

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: In seconds. Python's own is 0.005.
USUAL: Final = 0.0005
QUICK: Final = 0.00005
#: When garbage is collected: Python's own thresholds, and full collections five times rarer.
COLLECTIONS: Final = (700, 10, 50)


def leave_out_what_is_loaded() -> None:
    """Let no collection of garbage look at what there is now. Call it when all is loaded."""
    configure_mappers()  # or the first request would make theirs
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)


class QuickForUpdates:
    """A WSGI application that runs `application`, and switches quickly while it takes updates."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application
        self._updates = 0
        self._lock = threading.Lock()
        sys.setswitchinterval(USUAL)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            return self._application(environ, start_response)
        self._count(1)
        try:
            return self._application(environ, start_response)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        with self._lock:
            before = self._updates
            self._updates += change
            if not (before and self._updates):
                sys.setswitchinterval(QUICK if self._updates else USUAL)
