"""Parcel: one claimed postback on its way, from event to verdict. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app.domain import backoff, events
from app.models import PostbackState
from app.outbound.transport import Answer, Failure
from app.services.outbox import Claimed, Settled, Tried
from app.services.ways import Way
from plugins.checks import AdapterFailed
from plugins.contract import Event, Outcome, Request, Verdict, mask

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
    tried: list[Tried] = field(default_factory=list)
    fault: AdapterFailed | None = None  # what the adapter did instead of reading an answer

    @classmethod
    def open(cls, claimed: Claimed, way: Way, now: float) -> Parcel:
        """Build the requests. Raises AdapterFailed."""
        event = events.thaw(claimed.event, claimed.destination_id, claimed.occurrence, int(now))
        requests = way.adapter.build(event, way.settings)
        return cls(claimed, way, now, event, requests, claimed.steps)

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
    number = parcel.claimed.tries + 1
    first = parcel.claimed.first_try or at.now
    due = None
    if outcome.verdict is Verdict.RETRY:
        due = backoff.next_try(
            number,
            at.now,
            first,
            hint=outcome.retry_after,
            chance=at.dice(),
            span=parcel.way.span,
        )
    parcel.tried.append(_tried(parcel, outcome, answer, due))
    if outcome.verdict.is_success:
        parcel.step += 1
        if parcel.step < len(parcel.requests):
            return None
    return Settled(
        id=parcel.claimed.id,
        state=_state(outcome.verdict, due),
        reason=outcome.reason[:300],
        tries=number,
        steps=parcel.step,
        due=due if due is not None else at.now,
        first_try=first,
        settled=at.now if due is None else None,
    )


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
        due, claimed.first_try, None,
    )  # fmt: skip


def failed_to_build(
    claimed: Claimed, span: float | None, reason: str, at: Chance
) -> tuple[Settled, Tried]:
    """The adapter gave no request: a visible failed attempt, tried again later."""
    number = claimed.tries + 1
    first = claimed.first_try or at.now
    due = backoff.next_try(number, at.now, first, hint=None, chance=at.dice(), span=span)
    tried = Tried(
        claimed.id, claimed.occurrence, number, "", at.now, 0, "", None, "",
        Verdict.RETRY.value, reason[:300], due, "",
    )  # fmt: skip
    state = _state(Verdict.RETRY, due)
    settled = Settled(
        claimed.id, state, reason[:300], number, claimed.steps,
        due if due is not None else at.now, first, at.now if due is None else None,
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
