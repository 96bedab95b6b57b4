"""What a worker has to settle: new states, attempts and health, gathered for one commit."""

import enum
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection

from app.services import postbacks
from app.services.postbacks import AttemptRow, Batch, ClaimedPostback, PostbackUpdate
from plugins.contract import Outcome, Verdict

SETTLE_AT: Final = 128  # outcomes that are worth a commit by themselves
SETTLE_AFTER: Final = 0.02  # seconds an outcome waits for others


class _Along(enum.Enum):
    """Whether the outcomes in hand were written in a transaction of somebody else's."""

    NO = enum.auto()
    WRITTEN = enum.auto()  # and it is committed if `confirm_along` comes next
    FAILED = enum.auto()  # and it was rolled back


class Outcomes:
    """Outcomes that no commit has recorded yet. `count` is how many postbacks were ever settled."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.count = 0
        self._clock = clock
        self._batch = Batch()
        self._taken: Batch | None = None
        self._along = _Along.NO
        #: Whether the last commit that took any has failed.
        self.are_put_back = False
        self._since = 0.0  # when the first outcome of the batch came
        self._failing: set[int] = set()  # destinations whose last answer was a failure

    def __len__(self) -> int:
        return len(self._batch)

    def add(self, update: PostbackUpdate, rows: Sequence[AttemptRow] = ()) -> None:
        """Record a postback's new state and the attempts that led there."""
        self._touch()
        self._batch.updates.append(update)
        self._batch.attempts += rows

    def release(self, claimed: Iterable[ClaimedPostback]) -> None:
        """Give up the lease on postbacks that were not tried."""
        self._touch()
        self._batch.released += [postback.id for postback in claimed]

    def note_health(self, claimed: ClaimedPostback, outcome: Outcome) -> None:
        """Record how the destination fared.

        A success is only recorded if the destination had failures before: as
        it was claimed, or within this drain.
        """
        destination = claimed.destination_id
        healthy = outcome.verdict is not Verdict.RETRY
        if healthy and not (
            outcome.disable_destination or claimed.failures or destination in self._failing
        ):
            return
        (self._failing.discard if healthy else self._failing.add)(destination)
        stop = (outcome.reason or "stopped by an answer") if outcome.disable_destination else ""
        self._batch.note(destination, healthy=healthy, stop=stop, settings=claimed.settings)

    def note_failure(self, claimed: ClaimedPostback) -> None:
        """Record that the adapter built no request."""
        self._batch.note(claimed.destination_id, healthy=False)

    def are_ripe(self, now: float, *, idle: bool) -> bool:
        """Whether to commit now: many outcomes, one that waited, or nothing else to do."""
        if not self._batch:
            return False
        waits = 0 <= now - self._since < SETTLE_AFTER  # before it, the clock was set back
        return idle or len(self._batch) >= SETTLE_AT or not waits

    @property
    def are_along(self) -> bool:
        """Whether they were written in a transaction of somebody else's that is not confirmed."""
        return self._along is _Along.WRITTEN

    def settle_along(self, connection: Connection, lease: str, now: float) -> None:
        """Write the outcomes under `lease` in a transaction of the caller's.

        Nothing is written when the last such transaction failed, for the fault might be of what is
        written, until they were settled by themselves; nor while a destination's row is to change.
        """
        if self._along is not _Along.NO:
            self._along = _Along.FAILED
        elif self._batch and not self._batch.health:
            self._along = _Along.WRITTEN
            postbacks.settle(connection, lease, self._batch, now)

    def confirm_along(self) -> None:
        """Forget what was written along, if anything was: it is committed."""
        if self.are_along:
            self.take()
            self.confirm()

    def take(self) -> Batch:
        """Return the batch for a commit; what comes from now on is of the next one.

        One without outcomes is empty: health that came alone goes with the next outcome.
        """
        if not self._batch:
            return Batch()
        self._taken, self._batch = self._batch, Batch()
        return self._taken

    def confirm(self) -> None:
        """Forget what was taken: it is committed."""
        if self._taken is not None:
            self.count += len(self._taken.updates)
            self._taken = None
        self.are_put_back = False
        self._along = _Along.NO

    def put_back(self) -> None:
        """Put what was taken before what has come since: its commit failed."""
        if self._taken is not None:
            self._taken.add(self._batch)
            self._batch, self._taken = self._taken, None
            self.are_put_back = True

    def _touch(self) -> None:
        if not self._batch:
            self._since = self._clock()
