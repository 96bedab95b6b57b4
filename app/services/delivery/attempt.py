"""One attempt to deliver a claimed postback, from event to its new state. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from app.domain import backoff, events
from app.models import PostbackState
from app.models.postback import REASON_LENGTH
from app.outbound.result import Answer, Failure
from app.services.delivery.targets import ResolvedDestination
from app.services.postbacks import AttemptRow, ClaimedPostback, PostbackUpdate, Progress
from app.services.trackers.attempt import TrackerAttempt, shown, storable
from plugins.contract import ConversionKind, Outcome, Verdict

TOO_LATE: Final = (
    "an earlier try may have arrived, and by now the tracker would not recognise a repetition;"
    " re-send it if it did not"
)
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_SHOWN_REQUEST: Final = 4096  # characters
_END: Final[Mapping[Verdict, PostbackState]] = {
    Verdict.DELIVERED: PostbackState.DELIVERED,
    Verdict.DUPLICATE: PostbackState.DELIVERED,
    Verdict.REJECTED: PostbackState.REJECTED,
    Verdict.RETRY: PostbackState.FAILED,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of one decision, Unix seconds, and its random numbers in [0, 1)."""

    now: float
    rng: Callable[[], float]


@dataclass(slots=True, kw_only=True)
class DeliveryAttempt(TrackerAttempt):
    """The attempt at one claimed postback, with a row for each answered request.

    `started` is when it was claimed. `first_try` is when the current step may
    have arrived for the first time, None if it never did. Both in Unix seconds.
    """

    claimed: ClaimedPostback
    destination: ResolvedDestination
    started: float
    first_try: float | None = None
    rows: list[AttemptRow] = field(default_factory=list)
    _host: tuple[str, str] = field(default=("", ""), init=False)  # of which URL

    @classmethod
    def build(
        cls,
        claimed: ClaimedPostback,
        destination: ResolvedDestination,
        now: float,
        touch: Mapping[str, str] = _NOTHING,
    ) -> DeliveryAttempt:
        """Build the requests of a postback. Raises AdapterFailed, CannotDeserialize.

        `touch` is what the adapter may know of the click.
        """
        event = events.deserialize(
            claimed.event,
            claimed.destination_id,
            claimed.occurrence,
            now=int(now),
            tries=claimed.tries,
            state=claimed.adapter_state,
            touch=touch,
        )
        return cls(
            adapter=destination.adapter,
            settings=destination.settings,
            event=event,
            requests=destination.adapter.build(event, destination.settings),
            step=claimed.steps,
            claimed=claimed,
            destination=destination,
            started=now,
            first_try=claimed.first_try,
        )

    @property
    def is_too_old(self) -> bool:
        """Whether the tracker no longer accepts an event of this age."""
        oldest = self.destination.policy.max_event_age
        return oldest is not None and self.event.now - self.event.time > oldest

    @property
    def host(self) -> str:
        """Scheme, host and port of the next request."""
        url = self.request.url
        if self._host[0] is not url:
            self._host = url, "/".join(url.split("/", 3)[:3])
        return self._host[1]

    def record(self, outcome: Outcome, answer: Answer, at: Moment) -> PostbackUpdate | None:
        """Note the answer to a request; return how the postback ends, None if a step follows."""
        is_retry = outcome.verdict is Verdict.RETRY
        if is_retry and _may_have_arrived(outcome, answer):
            self.first_try = self.first_try or at.now
        due = self._next_try(outcome, at) if is_retry else None
        self.rows.append(self._row(outcome, answer, due))
        self.advance(outcome)
        if outcome.verdict.is_success:
            self.first_try = None
            if not self.is_complete:
                return None
        charge = 0 if is_retry and outcome.disable_destination else 1
        progress = self._progress(charge)
        if due is not None:
            return self.claimed.defer(outcome.reason, due=due, progress=progress)
        state = _END[outcome.verdict]
        is_kept = outcome.verdict.is_success and isinstance(self.event.kind, ConversionKind)
        left = self.adapter_state if is_kept else ""
        return self.claimed.finish(
            state, outcome.reason, now=at.now, progress=progress, adapter_state=left
        )

    def defer(self, reason: str, due: float) -> PostbackUpdate:
        """Go on at `due` (Unix seconds) with the next step, without charging an attempt."""
        return self.claimed.defer(reason, due=due, progress=self._progress(0))

    def _progress(self, charge: int) -> Progress:
        return Progress(self.claimed.tries + charge, self.step, self.first_try, self.adapter_state)

    def _next_try(self, outcome: Outcome, at: Moment) -> float | None:
        """When to try again, Unix seconds; None to give up.

        An event that waits for its owner is due at once: the destination is off.
        """
        if outcome.disable_destination:
            return at.now
        return backoff.next_try(
            self.claimed.tries + 1,
            at.now,
            self.first_try or at.now,
            hint=outcome.retry_after,
            chance=at.rng(),
            span=self.destination.policy.retry_window,
        )

    def _row(self, outcome: Outcome, answer: Answer, due: float | None) -> AttemptRow:
        request = self.request
        return AttemptRow(
            postback_id=self.claimed.id,
            occurrence=self.claimed.occurrence,
            number=self.claimed.tries + 1,
            step=request.step,
            started=answer.started,
            ms=answer.ms,
            request=storable(request.redacted(_SHOWN_REQUEST)),
            status=answer.response.status if answer.response else None,
            answer=shown(answer, request),
            verdict=outcome.verdict.value,
            reason=outcome.reason[:REASON_LENGTH],
            next_try=due,
            key=request.idempotency_key,
        )


def _may_have_arrived(outcome: Outcome, answer: Answer) -> bool:
    """Whether the tracker may have taken an event that is to be tried again.

    A tracker that answers 4xx, or refuses the account or its key, took nothing.
    """
    if outcome.disable_destination:
        return False
    if answer.response is None:
        return answer.failure is not Failure.UNREACHABLE
    status = answer.response.status
    return not 400 <= status < 500 or status == 408


def is_too_late(claimed: ClaimedPostback, destination: ResolvedDestination, now: float) -> bool:
    """Whether it waited so long that the tracker could count a repetition twice."""
    span, first = destination.policy.retry_window, claimed.first_try
    return span is not None and first is not None and now > first + span


def fail_to_build(
    claimed: ClaimedPostback, span: float | None, reason: str, at: Moment
) -> tuple[PostbackUpdate, AttemptRow]:
    """Charge a failed attempt, tried again later, when the adapter built no request."""
    number = claimed.tries + 1
    first = claimed.first_try or at.now
    due = backoff.next_try(number, at.now, first, hint=None, chance=at.rng(), span=span)
    row = AttemptRow(
        postback_id=claimed.id,
        occurrence=claimed.occurrence,
        number=number,
        started=at.now,
        verdict=Verdict.RETRY.value,
        reason=reason[:REASON_LENGTH],
        next_try=due,
    )
    progress = claimed.progress._replace(tries=number)
    if due is None:
        end = claimed.finish(PostbackState.FAILED, reason, now=at.now, progress=progress)
        return end, row
    return claimed.defer(reason, due=due, progress=progress), row
