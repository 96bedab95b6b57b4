"""Log lines for what comes and goes: one for each change of state, however often it is asked."""

import threading

import structlog

log = structlog.get_logger()


class HealthWatch:
    """Logs `<name>.lost` and `<name>.back`, once each time. May be called by many threads.

    The second line counts in `times` how often the fault was met meanwhile.
    """

    def __init__(self, name: str) -> None:
        self._lost, self._back = f"{name}.lost", f"{name}.back"
        self._lock = threading.Lock()
        self._times = 0

    def update(self, *, well: bool, **facts: str) -> None:
        """Record the present state, and log it with `facts` if it has changed."""
        if well and not self._times:  # read without the lock: this is the way of every request
            return
        with self._lock:
            times, self._times = self._times, 0 if well else self._times + 1
        if not well and not times:
            log.warning(self._lost, **facts)
        elif well and times:
            log.info(self._back, times=times)
