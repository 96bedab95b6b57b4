"""Starts what the settings ask for, in a process that will fork no more, and ends it with it."""

import logging
from collections.abc import Callable
from multiprocessing import util
from typing import Final

from app.config import Settings
from app.observability.faults import faults
from app.observability.traces import traces

#: For what is still queued when a process ends, of the 10 s that it has for everything.
LAST_SECONDS: Final = 2.0


def start(settings: Settings, process: str, *, traced: bool = True) -> list[Callable[[], None]]:
    """Begin to trace and to report faults, if the settings say where to.

    Returns what ends each of it. All are called when the process ends, be it a child that was
    forked or not; a library that the settings do not ask for is not imported.
    """
    ends: list[Callable[[], None]] = []
    if settings.otel_exporter_otlp_endpoint and traced:
        from app.observability.collector import Collector

        collector = Collector(process)
        traces.start(collector)
        ends.append(lambda: collector.stop(LAST_SECONDS))
    if settings.sentry_dsn:
        from app.observability import sentry

        faults.start(sentry.start(settings.sentry_dsn, process))
        logging.getLogger().addHandler(sentry.LoggedFaults(faults))
        ends.append(lambda: sentry.stop(LAST_SECONDS))
    for end in ends:
        # What `atexit` is told is not called in a child that multiprocessing has forked.
        util.Finalize(None, end, exitpriority=100)
    return ends
