"""What steps on an update raise: caught here, kept with its traceback, and told."""

import traceback
from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

from app.database.faults import outage_of
from app.domain.telegram.updates import Malformed
from app.extensions import db
from app.observability.faults import faults

Result = TypeVar("Result")
Parameters = ParamSpec("Parameters")


class Failed(NamedTuple):
    """What a step on an update raised, and the end of its traceback as both databases store it."""

    error: Exception
    trace: str

    def report(self) -> None:
        """Tell of it, unless the update is just none that can be read."""
        if not isinstance(self.error, Malformed):
            faults.report(self.error, "update.quarantined")


def try_on(
    function: Callable[Parameters, Result],
    *arguments: Parameters.args,
    **named: Parameters.kwargs,
) -> Result | Failed:
    """Return what `function` returns, or what it raised, with its traceback for the quarantine."""
    try:
        return function(*arguments, **named)
    # A bug of ours that one update brings out must end with that update in the quarantine, not
    # with a queue that stands still. Whoever calls this raises the database's own faults again.
    except Exception as error:  # noqa: BLE001
        trace = traceback.format_exc(limit=-8).replace("\x00", "\ufffd")
        return Failed(error, trace[-4000:])


def roll_back(failed: Failed) -> str:
    """Roll back, and return the traceback. Raises the error if no update is to blame for it."""
    db.session.rollback()
    if outage := outage_of(failed.error):
        raise outage
    return failed.trace
