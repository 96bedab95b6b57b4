"""From a claimed postback to its outcome: build, send step by step, read the answers."""

from collections.abc import Callable
from typing import Final

import structlog

from app.domain import events
from app.models import PostbackState
from app.observability.traces import traces
from app.outbound.result import Answer
from app.services.delivery.attempt import (
    TOO_LATE,
    DeliveryAttempt,
    Moment,
    fail_to_build,
    is_too_late,
)
from app.services.delivery.in_flight import InFlight
from app.services.delivery.limits.concurrency import ConcurrencyLimiter
from app.services.delivery.limits.rate import RateLimiter
from app.services.delivery.outcomes import Outcomes
from app.services.delivery.targets import (
    COOL_DOWN,
    DestinationResolver,
    DestinationUnavailable,
    ResolvedDestination,
)
from app.services.delivery.touches import Touches
from app.services.postbacks import ClaimedPostback
from app.services.trackers.attempt import storable
from plugins.host.validation import AdapterFailed

log = structlog.get_logger()

WAIT_FOR_TRACKER: Final = 60.0  # seconds until a missing plugin is asked for again
TOO_OLD: Final = "older than the tracker accepts"
UNREADABLE: Final = "the stored event cannot be read"
NOTHING_TO_SEND: Final = "the destination has nothing to send for this event"
WAITS_ITS_TURN: Final = "waits its turn: the tracker limits how fast it may be told"
READ_SECONDS: Final = 0.05  # of answers, until others are sent to
_QUEUE_SHARE: Final = 0.4  # of the lease, for which an attempt may wait for a slot
_STEP_SHARE: Final = 0.5  # of the lease, within which another step may begin


class Sender:
    """Turns claimed postbacks into requests, and answers into outcomes."""

    def __init__(
        self,
        in_flight: InFlight,
        outcomes: Outcomes,
        resolver: DestinationResolver,
        limiter: ConcurrencyLimiter,
        rates: RateLimiter,
        *,
        touches: Touches,
        lease_seconds: float,
        clock: Callable[[], float],
        rng: Callable[[], float],
    ) -> None:
        self._in_flight = in_flight
        self._outcomes = outcomes
        self._resolver = resolver
        self._limiter = limiter
        self._rates = rates
        self._touches = touches
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._rng = rng

    def accept(self, claimed: ClaimedPostback, now: float) -> None:
        """Queue a postback claimed at `now`, or say at once why it is not sent."""
        hook_time = self._in_flight.hook_time
        if not hook_time.may_build(claimed.account_id):  # those before it took the account's time
            self._outcomes.add(claimed.defer("", due=now))
            return
        try:
            with hook_time.of(claimed.account_id):
                destination = self._resolver.resolve(claimed.tracker, claimed.settings, now)
        except DestinationUnavailable as error:
            self._outcomes.add(claimed.defer(str(error), due=now + WAIT_FOR_TRACKER))
            return
        if is_too_late(claimed, destination, now):
            self._outcomes.add(claimed.finish(PostbackState.FAILED, TOO_LATE, now=now))
            return
        try:
            with hook_time.of(claimed.account_id):
                touch = self._touches.take(claimed.id, destination.touch_fields)
                attempt = DeliveryAttempt.build(claimed, destination, now, touch)
        except AdapterFailed as error:
            self._outcomes.note_failure(claimed)
            self._rest(claimed, error)
            self._fail_to_build(claimed, destination, error.reason, now)
            return
        except events.CannotDeserialize as error:  # no fault of the tracker's
            log.warning("postback.unreadable", postback=claimed.id, fault=str(error))
            reason = storable(f"{UNREADABLE}: {error}")
            self._fail_to_build(claimed, destination, reason, now)
            return
        if attempt.is_too_old or attempt.is_complete:
            reason = TOO_OLD if attempt.is_too_old else NOTHING_TO_SEND
            self._outcomes.add(claimed.finish(PostbackState.DISCARDED, reason, now=now))
            return
        self._in_flight.enqueue(attempt)

    def dispatch(self) -> None:
        """Release what waited too long for a free slot; send what has one."""
        now = self._clock()  # first what has expired: another worker may hold its lease by now
        expired = self._in_flight.drop_queued(now - self._lease_seconds * _QUEUE_SHARE)
        if expired:
            self._outcomes.release(attempt.claimed for attempt in expired)
        for attempt in self._in_flight.startable():
            self._send(attempt)

    def receive(self, seconds: float, is_enough: Callable[[], bool] = lambda: False) -> None:
        """Read answers that are ready, waiting at most `seconds` for the first.

        Those that take long to read are left for the next time, after what is due was sent; and
        all that are left when `is_enough()`.
        """
        end: float | None = None
        for attempt, answer in self._in_flight.answers(seconds):
            end = end or self._clock() + READ_SECONDS
            self._on_answer(attempt, answer)
            if self._clock() >= end or is_enough():
                break

    def release_queued(self) -> None:
        """Release what was claimed and not yet sent."""
        if queued := self._in_flight.drop_queued():
            self._outcomes.release(attempt.claimed for attempt in queued)

    def abort(self) -> None:
        """Stop waiting for answers. Our end is no fault of the tracker: nothing is charged."""
        now = self._clock()
        for attempt in self._in_flight.abort():
            attempt.first_try = attempt.first_try or now  # it may have arrived
            self._outcomes.add(attempt.defer("", now), attempt.rows)

    def _send(self, attempt: DeliveryAttempt) -> None:
        if (limit := attempt.destination.policy.rate_limit) is not None:
            due = self._rates.acquire(attempt.claimed.tracker, limit, self._clock())
            if due is not None:
                self._outcomes.add(attempt.defer(WAITS_ITS_TURN, due), attempt.rows)
                return
        self._in_flight.send(attempt)

    def _on_answer(self, attempt: DeliveryAttempt, answer: Answer) -> None:
        """Read one answer; send the next step, or record how the attempt ends."""
        if answer.may_be_ours:
            self._try_again(attempt, answer)
            return
        claimed = attempt.claimed
        with self._in_flight.hook_time.of(claimed.account_id):
            outcome = attempt.read(answer)
            # An account with thousands of secrets pays for what it takes to mask them, too.
            update = attempt.record(outcome, answer, Moment(self._clock(), self._rng))
        self._limiter.record_result(claimed.destination_id, succeeded=outcome.verdict.is_success)
        self._outcomes.note_health(claimed, outcome)
        self._rest(claimed, attempt.fault)
        if traces.on:
            traces.attempted(claimed, attempt.rows[-1], answer.failure or "")
        if update is not None:
            self._outcomes.add(update, attempt.rows)
            return
        # The lease must outlive another step. What cannot be built again is
        # claimed again, and fails there as an attempt that people can see.
        now = self._clock()
        with self._in_flight.hook_time.of(claimed.account_id):
            in_time = now - attempt.started < self._lease_seconds * _STEP_SHARE
            is_suspended = claimed.account_id in self._limiter.suspended
            may_go_on = in_time and not is_suspended and attempt.refresh()
        if may_go_on:
            self._send(attempt)
        else:
            self._outcomes.add(attempt.defer("", now), attempt.rows)

    def _try_again(self, attempt: DeliveryAttempt, answer: Answer) -> None:
        """Charge nothing to a tracker that this process was too busy to hear."""
        now = self._clock()
        if answer.was_sent:
            attempt.first_try = attempt.first_try or now  # it may have arrived
        self._outcomes.add(attempt.defer("", now), attempt.rows)

    def _fail_to_build(
        self,
        claimed: ClaimedPostback,
        destination: ResolvedDestination,
        reason: str,
        now: float,
    ) -> None:
        at = Moment(now, self._rng)
        update, row = fail_to_build(claimed, destination.policy.retry_window, reason, at)
        if traces.on:
            traces.attempted(claimed, row)
        self._outcomes.add(update, [row])

    def _rest(self, claimed: ClaimedPostback, fault: AdapterFailed | None) -> None:
        """Call an adapter that had to be interrupted no more for a while."""
        if fault is not None and fault.slow:
            self._resolver.cool_down(claimed.tracker, self._clock() + COOL_DOWN)
