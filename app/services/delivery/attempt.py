"""Parcel: one claimed postback on its way, from event to verdict. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from app.domain import backoff, events
from app.models import PostbackState
from app.outbound.transport import Answer, Failure
from app.services.delivery.targets import Way
from app.services.postbacks import Claimed, Settled, Tried
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
class Parcel:
    """Steps of one postback, and what became of them so far."""

    claimed: Claimed
    way: Way
    taken: float
    event: Event
    requests: tuple[Request, ...] = ()
    step: int = 0
    first_try: float | None = None  # of this step, that may have arrived
    tried: list[Tried] = field(default_factory=list)
    fault: AdapterFailed | None = None  # what the adapter did instead of reading an answer

    @classmethod
    def open(cls, claimed: Claimed, way: Way, now: float) -> Parcel:
        """Build the requests. Raises AdapterFailed."""
        event = events.thaw(
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
        """Where to, for counting places: scheme, host and port."""
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
class Chance:
    """Clock and dice of one moment, so that the rest can be tested."""

    now: float
    dice: Callable[[], float]


def conclude(parcel: Parcel, outcome: Outcome, answer: Answer, at: Chance) -> Settled | None:
    """Record the try; say how the postback ends, or None if a step follows."""
    claimed = parcel.claimed
    parked = outcome.verdict is Verdict.RETRY and outcome.stop
    if _may_have_arrived(outcome, answer):
        parcel.first_try = parcel.first_try or at.now
    due = _next_try(parcel, outcome, at)
    parcel.tried.append(_tried(parcel, outcome, answer, due))
    parcel.carry(outcome)
    if outcome.verdict.is_success:
        parcel.step, parcel.first_try = parcel.step + 1, None
        if parcel.step < len(parcel.requests):
            return None
    return Settled(
        id=claimed.id,
        state=_state(outcome.verdict, due),
        reason=outcome.reason[:300],
        tries=claimed.tries if parked else claimed.tries + 1,
        steps=parcel.step,
        due=due if due is not None else at.now,
        first_try=parcel.first_try,
        settled=at.now if due is None else None,
        carried="" if due is None else parcel.carried,
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


def _next_try(parcel: Parcel, outcome: Outcome, at: Chance) -> float | None:
    """When, in Unix seconds. A parked one has no schedule: it waits for its owner."""
    if outcome.verdict is not Verdict.RETRY:
        return None
    if outcome.stop:
        return at.now
    return backoff.next_try(
        parcel.claimed.tries + 1,
        at.now,
        parcel.first_try or at.now,
        hint=outcome.retry_after,
        chance=at.dice(),
        span=parcel.way.span,
    )


def too_late(claimed: Claimed, way: Way, now: float) -> Settled | None:
    """Its end, if it waited so long that a repetition could count twice."""
    if way.span is None or claimed.first_try is None or now <= claimed.first_try + way.span:
        return None
    return Settled(
        claimed.id, PostbackState.FAILED, TOO_LATE, claimed.tries, claimed.steps,
        now, claimed.first_try, now,
    )  # fmt: skip


def discard(claimed: Claimed, reason: str, now: float) -> Settled:
    """It is not sent, and never will be."""
    return Settled(
        claimed.id, PostbackState.DISCARDED, reason, claimed.tries, claimed.steps,
        now, claimed.first_try, now,
    )  # fmt: skip


def put_off(claimed: Claimed, reason: str, due: float) -> Settled:
    """It cannot be tried for a reason that is not the tracker's: no charge."""
    return Settled(
        claimed.id, PostbackState.WAITING, reason[:300], claimed.tries, claimed.steps,
        due, claimed.first_try, None, claimed.carried,
    )  # fmt: skip


def put_aside(parcel: Parcel, reason: str, due: float) -> Settled:
    """It goes on at `due` with the step that comes next: no charge."""
    return replace(
        put_off(parcel.claimed, reason, due),
        steps=parcel.step,
        first_try=parcel.first_try,
        carried=parcel.carried,
    )


def failed_to_build(
    claimed: Claimed, span: float | None, reason: str, at: Chance
) -> tuple[Settled, Tried]:
    """The adapter gave no request: a visible failed attempt, tried again later."""
    number = claimed.tries + 1
    first = claimed.first_try
    due = backoff.next_try(number, at.now, first or at.now, hint=None, chance=at.dice(), span=span)
    tried = Tried(
        claimed.id, claimed.occurrence, number, "", at.now, 0, "", None, "",
        Verdict.RETRY.value, reason[:300], due, "",
    )  # fmt: skip
    state = _state(Verdict.RETRY, due)
    settled = Settled(
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


def _tried(parcel: Parcel, outcome: Outcome, answer: Answer, due: float | None) -> Tried:
    request = parcel.request
    response = answer.response
    shown = ""
    if response is not None:
        # Masked first: a secret cut in two would leave its head readable.
        shown = mask(response.text, request.secrets)[:_SHOWN].replace("\x00", "\ufffd")
    return Tried(
        postback_id=parcel.claimed.id,
        occurrence=parcel.claimed.occurrence,
        number=parcel.claimed.tries + 1,
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
