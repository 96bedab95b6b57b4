"""Log lines for what comes and goes: one for each change of state, however often it is asked."""

from __future__ import annotations

import structlog

log = structlog.get_logger()


class HealthWatch:
    """Logs `<name>.lost` and `<name>.back`, once each time."""

    def __init__(self, name: str) -> None:
        self._lost, self._back = f"{name}.lost", f"{name}.back"
        self._well = True

    def update(self, *, well: bool, **facts: str) -> None:
        """Record the present state, and log it with `facts` if it has changed."""
        if self._well and not well:
            log.warning(self._lost, **facts)
        elif well and not self._well:
            log.info(self._back)
        self._well = well
