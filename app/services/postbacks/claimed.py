"""A postback that a worker has claimed, and what can become of it."""

from dataclasses import dataclass
from typing import NamedTuple

from app.models import PostbackState
from app.models.postback import REASON_LENGTH


class Progress(NamedTuple):
    """How far the attempts at one postback have come.

    `tries` counts the charged attempts, `steps` the requests that succeeded.
    `first_try` (Unix seconds) is when the next step may have arrived for the
    first time. `adapter_state` is JSON text for the next request, or empty.
    """

    tries: int
    steps: int
    first_try: float | None
    adapter_state: str


@dataclass(frozen=True, slots=True)
class PostbackUpdate:
    """New values of one claimed postback. Its fields are the table's columns."""

    id: int
    state: PostbackState
    reason: str
    tries: int
    steps: int
    due: float
    first_try: float | None
    settled: float | None
    adapter_state: str = ""
    lease: None = None
    lease_until: None = None


@dataclass(frozen=True, slots=True)
class ClaimedPostback:
    """One postback under a worker's lease, with its destination's columns.

    `settings` is encrypted. `failures` counts the destination's failures in a row,
    `account_id` is its owner.
    """

    id: int
    destination_id: int
    event: str
    occurrence: int
    tries: int
    steps: int
    first_try: float | None
    adapter_state: str
    tracker: str
    settings: str
    failures: int
    account_id: int

    @property
    def identity(self) -> tuple[int, int]:
        """Which postback it is, and which time that somebody asked for it to be sent."""
        return self.id, self.occurrence

    @property
    def progress(self) -> Progress:
        """The progress as it was claimed."""
        return Progress(self.tries, self.steps, self.first_try, self.adapter_state)

    def finish(
        self,
        state: PostbackState,
        reason: str,
        *,
        now: float,
        progress: Progress | None = None,
        adapter_state: str = "",
    ) -> PostbackUpdate:
        """End it in `state` for good; without `progress` as it was claimed.

        `adapter_state` is what a later report of the same event should know.
        """
        progress = progress or self.progress
        return PostbackUpdate(
            id=self.id,
            state=state,
            reason=reason[:REASON_LENGTH],
            tries=progress.tries,
            steps=progress.steps,
            due=now,
            first_try=progress.first_try,
            settled=now,
            adapter_state=adapter_state,
        )

    def defer(self, reason: str, *, due: float, progress: Progress | None = None) -> PostbackUpdate:
        """Let it wait until `due` (Unix seconds); without `progress` as it was claimed."""
        progress = progress or self.progress
        return PostbackUpdate(
            id=self.id,
            state=PostbackState.WAITING,
            reason=reason[:REASON_LENGTH],
            tries=progress.tries,
            steps=progress.steps,
            due=due,
            first_try=progress.first_try,
            settled=None,
            adapter_state=progress.adapter_state,
        )
