"""One attempt to deliver a claimed postback, from event to verdict. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from app.domain import backoff, events
from app.models import PostbackState
from app.outbound.transport import Answer, Failure
from app.services.delivery.targets import ResolvedDestination
from app.services.postbacks import AttemptRow, ClaimedPostback, PostbackUpdate
from plugins.contract import Event, Outcome, Request, Verdict, mask
from plugins.host.validation import AdapterFailed

TOO_LATE: Final = (
    "an earlier try may have arrived, and by now the tracker would not recognise a repetition;"
    " re-send it if it did not"
)
_SHOWN: Final = 2048  # characters of an answer kept for people
_SHOWN_REQUEST: Final = 4096
_NEVER: Final = (Failure.BLOCKED, Failure.INVALID)  # trying again cannot help


@dataclass(slots=True)
class DeliveryAttempt:
    """Steps of one postback, and what became of them so far."""

    claimed: ClaimedPostback
    way: ResolvedDestination
    taken: float
    event: Event
    requests: tuple[Request, ...] = ()
    step: int = 0
    first_try: float | None = None  # of this step, that may have arrived
    tried: list[AttemptRow] = field(default_factory=list)
    fault: AdapterFailed | None = None  # what the adapter did instead of reading an answer

    @classmethod
    def open(
        cls, claimed: ClaimedPostback, way: ResolvedDestination, now: float
    ) -> DeliveryAttempt:
        """Build the requests. Raises AdapterFailed."""
        event = events.deserialize(
            claimed.event,
            claimed.destination_id,
            claimed.occurrence,
            now=int(now),
            tries=claimed.tries,
            carried=claimed.carried,
        )
        requests = way.adapter.build(event, way.settings)
        return cls(claimed, way, now, event, requests, claimed.steps, claimed.first_try)

    def carry(self, outcome: Outcome) -> bool:
        """Take on what an answer left to know; whether that is anything new."""
        if outcome.carry is None or outcome.carry == self.event.carried:
            return False
        self.event = replace(self.event, carried=MappingProxyType(dict(outcome.carry)))
        return True

    def rebuild(self) -> bool:
        """Say the steps that follow with what is carried now; False if that cannot be."""
        try:
            built = self.way.adapter.build(self.event, self.way.settings)
        except AdapterFailed:
            return False
        same = [one.step for one in built] == [one.step for one in self.requests]
        self.requests = built if same else self.requests
        return same

    @property
    def carried(self) -> str:
        """What is carried as JSON text; empty for nothing."""
        return json.dumps(dict(self.event.carried)) if self.event.carried else ""

    @property
    def is_too_old(self) -> bool:
        """Whether the tracker no longer accepts an event of this age."""
        oldest = self.way.oldest
        return oldest is not None and self.event.now - self.event.time > oldest

    @property
    def request(self) -> Request:
        """What is to be sent next."""
        return self.requests[self.step]

    @property
    def host(self) -> str:
        """Where to, for counting requests: scheme, host and port."""
        return "/".join(self.request.url.split("/", 3)[:3])

    def read(self, answer: Answer) -> Outcome:
        """What an answer, or the lack of one, means."""
        if answer.response is None:
            verdict = Verdict.REJECTED if answer.failure in _NEVER else Verdict.RETRY
            return Outcome(verdict, answer.reason)
        try:
            return self.way.adapter.classify(
                answer.response, self.request, self.event, self.way.settings
            )
        except AdapterFailed as error:
            self.fault = error
            return Outcome(Verdict.RETRY, error.reason)


@dataclass(frozen=True, slots=True)
class Moment:
    """Time and chance of one moment, so that the rest can be tested."""

    now: float
    rng: Callable[[], float]


def conclude(
    attempt: DeliveryAttempt, outcome: Outcome, answer: Answer, at: Moment
) -> PostbackUpdate | None:
    """Record the try; say how the postback ends, or None if a step follows."""
    claimed = attempt.claimed
    parked = outcome.verdict is Verdict.RETRY and outcome.stop
    if _may_have_arrived(outcome, answer):
        attempt.first_try = attempt.first_try or at.now
    due = _next_try(attempt, outcome, at)
    attempt.tried.append(_tried(attempt, outcome, answer, due))
    attempt.carry(outcome)
    if outcome.verdict.is_success:
        attempt.step, attempt.first_try = attempt.step + 1, None
        if attempt.step < len(attempt.requests):
            return None
    return PostbackUpdate(
        id=claimed.id,
        state=_state(outcome.verdict, due),
        reason=outcome.reason[:300],
        tries=claimed.tries if parked else claimed.tries + 1,
        steps=attempt.step,
        due=due if due is not None else at.now,
        first_try=attempt.first_try,
        settled=at.now if due is None else None,
        carried="" if due is None else attempt.carried,
    )


def _may_have_arrived(outcome: Outcome, answer: Answer) -> bool:
    """Whether the tracker may have taken an event that is to be tried again.

    Who says 4xx, or that the account or its key is not accepted, took nothing.
    """
    if outcome.verdict is not Verdict.RETRY or outcome.stop:
        return False
    if answer.response is None:
        return answer.failure is not Failure.UNREACHABLE
    status = answer.response.status
    return not 400 <= status < 500 or status == 408


def _next_try(attempt: DeliveryAttempt, outcome: Outcome, at: Moment) -> float | None:
    """When, in Unix seconds. A parked one has no schedule: it waits for its owner."""
    if outcome.verdict is not Verdict.RETRY:
        return None
    if outcome.stop:
        return at.now
    return backoff.next_try(
        attempt.claimed.tries + 1,
        at.now,
        attempt.first_try or at.now,
        hint=outcome.retry_after,
        chance=at.rng(),
        span=attempt.way.span,
    )


def too_late(
    claimed: ClaimedPostback, way: ResolvedDestination, now: float
) -> PostbackUpdate | None:
    """Its end, if it waited so long that a repetition could count twice."""
    if way.span is None or claimed.first_try is None or now <= claimed.first_try + way.span:
        return None
    return PostbackUpdate(
        claimed.id, PostbackState.FAILED, TOO_LATE, claimed.tries, claimed.steps,
        now, claimed.first_try, now,
    )  # fmt: skip


def discard(claimed: ClaimedPostback, reason: str, now: float) -> PostbackUpdate:
    """It is not sent, and never will be."""
    return PostbackUpdate(
        claimed.id, PostbackState.DISCARDED, reason, claimed.tries, claimed.steps,
        now, claimed.first_try, now,
    )  # fmt: skip


def defer(claimed: ClaimedPostback, reason: str, due: float) -> PostbackUpdate:
    """It cannot be tried for a reason that is not the tracker's: no charge."""
    return PostbackUpdate(
        claimed.id, PostbackState.WAITING, reason[:300], claimed.tries, claimed.steps,
        due, claimed.first_try, None, claimed.carried,
    )  # fmt: skip


def defer_step(attempt: DeliveryAttempt, reason: str, due: float) -> PostbackUpdate:
    """It goes on at `due` with the step that comes next: no charge."""
    return replace(
        defer(attempt.claimed, reason, due),
        steps=attempt.step,
        first_try=attempt.first_try,
        carried=attempt.carried,
    )


def failed_to_build(
    claimed: ClaimedPostback, span: float | None, reason: str, at: Moment
) -> tuple[PostbackUpdate, AttemptRow]:
    """The adapter gave no request: a visible failed attempt, tried again later."""
    number = claimed.tries + 1
    first = claimed.first_try
    due = backoff.next_try(number, at.now, first or at.now, hint=None, chance=at.rng(), span=span)
    tried = AttemptRow(
        claimed.id, claimed.occurrence, number, "", at.now, 0, "", None, "",
        Verdict.RETRY.value, reason[:300], due, "",
    )  # fmt: skip
    state = _state(Verdict.RETRY, due)
    settled = PostbackUpdate(
        claimed.id, state, reason[:300], number, claimed.steps,
        due if due is not None else at.now, first, at.now if due is None else None,
        "" if due is None else claimed.carried,
    )  # fmt: skip
    return settled, tried


def _state(verdict: Verdict, due: float | None) -> PostbackState:
    if verdict.is_success:
        return PostbackState.DELIVERED
    if verdict is Verdict.REJECTED:
        return PostbackState.REJECTED
    return PostbackState.FAILED if due is None else PostbackState.WAITING


def _tried(
    attempt: DeliveryAttempt, outcome: Outcome, answer: Answer, due: float | None
) -> AttemptRow:
    request = attempt.request
    response = answer.response
    shown = ""
    if response is not None:
        # Masked first: a secret cut in two would leave its head readable.
        shown = mask(response.text, request.secrets)[:_SHOWN].replace("\x00", "\ufffd")
    return AttemptRow(
        postback_id=attempt.claimed.id,
        occurrence=attempt.claimed.occurrence,
        number=attempt.claimed.tries + 1,
        step=request.step,
        started=answer.started,
        ms=answer.ms,
        request=request.redacted()[:_SHOWN_REQUEST].replace("\x00", "\ufffd"),
        status=response.status if response else None,
        answer=shown,
        verdict=outcome.verdict.value,
        reason=outcome.reason[:300],
        next_try=due,
        key=request.idempotency_key,
    )
