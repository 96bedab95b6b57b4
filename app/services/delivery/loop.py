"""Delivery: claim, build, exchange, classify, settle; as a flow, not as rounds.

While some answers are awaited, others are settled and new rows are claimed in
the same commit. No database connection is held across the network, and what
cannot be started in time is handed back untouched.
"""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from app.extensions import db
from app.outbound.transport import Answer
from app.services import postbacks
from app.services.delivery.attempt import (
    DeliveryAttempt,
    Moment,
    conclude,
    defer,
    defer_step,
    discard,
    failed_to_build,
    too_late,
)
from app.services.delivery.concurrency import ConcurrencyLimiter
from app.services.delivery.in_flight import Exchange
from app.services.delivery.rate import LONGEST, Pacing
from app.services.delivery.targets import COOL_DOWN, DestinationResolver, DestinationUnavailable
from app.services.postbacks import (
    AttemptRow,
    Batch,
    ClaimedPostback,
    DueDestination,
    PostbackUpdate,
)
from plugins.contract import Outcome, Verdict
from plugins.host.validation import AdapterFailed

MAX_CLAIMED: Final = 1024  # rows of one drain, waiting or in the air
SETTLE_AT: Final = 128  # outcomes that are worth a commit by themselves
SETTLE_AFTER: Final = 0.02  # seconds an outcome waits for company
LOOK_AGAIN: Final = 0.05  # seconds until the next claim after an empty one
WAIT_FOR_TRACKER: Final = 60.0  # seconds until a missing plugin is asked for again
NOTHING_TO_SEND: Final = "the destination has nothing to send for this event"
WAITS_ITS_TURN: Final = "waits its turn: the tracker limits how fast it may be told"
HOLD: Final = 1.0  # seconds without a token from which on nobody need look: the clock's tick
LAST_WORDS: Final = 4.0  # seconds for answers in the air after a stop


class Delivery:
    """One drain of the outbox: its hand, its lease, its outcomes."""

    def __init__(
        self,
        transport: Exchange,
        resolver: DestinationResolver,
        *,
        lease_seconds: float,
        limiter: ConcurrencyLimiter | None = None,
        pacing: Pacing | None = None,
        clock: Callable[[], float] = time.time,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._resolver = resolver
        self._lease_seconds = lease_seconds
        self._limiter = limiter or ConcurrencyLimiter()
        self._pacing = pacing or Pacing()
        self._clock = clock
        self._rng = rng
        self._lease = secrets.token_hex(16)
        self._queues: dict[int, deque[DeliveryAttempt]] = defaultdict(deque)
        self._in_flight: dict[int, DeliveryAttempt] = {}
        self._batch = Batch()
        self._promised: Counter[tuple[str, str]] = Counter()  # tokens, by one claim
        self._held: dict[int, float] = {}  # destinations without a token, until when
        self._ailing: set[int] = set()  # destinations whose last answer was a failure
        self._after = 0  # destination of the last claim: the next goes on behind it
        self._look_at = 0.0
        self.count = 0

    def run(
        self,
        *,
        seconds: float,
        stop: Callable[[], bool] = lambda: False,
        pulse: Callable[[], None] = lambda: None,
    ) -> int:
        """Deliver until nothing is due, `seconds` are over or `stop()` says so.

        Returns how many postbacks were settled. `pulse` is called on each turn.
        """
        end = self._clock() + seconds
        while True:
            pulse()
            ending = stop() or self._clock() >= end
            if ending:
                self._release_queued()
            more = self._commit(claiming=not ending)
            self._dispatch()
            if not self._in_flight and not self._queues and not more:
                break
            if stop() and self._clock() >= end + LAST_WORDS:
                self._abort_in_flight()
            for answer in self._transport.poll(LOOK_AGAIN if self._in_flight else 0.0):
                self._on_answer(answer)
            if stop():
                end = min(end, self._clock())
        self._commit(claiming=False, last=True)
        return self.count

    # -- the database -------------------------------------------------------

    def _commit(self, *, claiming: bool, last: bool = False) -> bool:
        """Settle and claim in one transaction. True if rows were claimed."""
        now = self._clock()
        room = MAX_CLAIMED - len(self._in_flight) - sum(map(len, self._queues.values()))
        idle = not self._in_flight and not self._queues
        ripe = bool(self._batch) and (
            idle or len(self._batch) >= SETTLE_AT or now - self._batch.oldest >= SETTLE_AFTER
        )
        claims = claiming and room > MAX_CLAIMED // 4 and (now >= self._look_at or ripe or idle)
        if not (ripe or claims or (last and self._batch)):
            return False
        connection = db.session.connection()
        if self._batch:
            postbacks.settle(connection, self._lease, self._batch, now)
        caught = self._claim(connection, room, now) if claims else []
        db.session.commit()
        self._hold()
        if self._batch:
            self.count += len(self._batch.settled)
            self._batch = Batch()
        for claimed in caught:
            self._open(claimed, now)
        return bool(caught)

    def _claim(self, connection: Connection, room: int, now: float) -> list[ClaimedPostback]:
        self._promised.clear()
        caught = postbacks.claim(
            connection,
            now=now,
            lease=self._lease,
            until=now + self._lease_seconds,
            after=self._after,
            room_for=self._room_for,
            most=room,
        )
        self._after = caught.after
        self._look_at = now if caught.postbacks else now + LOOK_AGAIN
        return caught.postbacks

    def _room_for(self, wanted: DueDestination) -> int:
        """Rows to claim of a destination: as many as earned, and as may be sent now."""
        room = self._limiter.room_for(wanted)
        way = self._resolver.cached(wanted.tracker, wanted.settings)
        if way is None or way.pace is None:
            return room
        now = self._clock()
        tokens = self._pacing.room(wanted.tracker, way.pace, now)
        if not tokens and (there := self._pacing.next(wanted.tracker, way.pace)) - now >= HOLD:
            self._held[wanted.id] = min(there, now + LONGEST)
        # Those with one key share its tokens: the next one's turn is at the next claim.
        shared = (wanted.tracker, way.pace.key)
        left = tokens - self._promised[shared] - len(self._queues.get(wanted.id, ()))
        room = max(0, min(room, left))
        self._promised[shared] += room
        return room

    def _hold(self) -> None:
        """Each in a transaction of its own: no row is kept while another is waited for."""
        for destination, until in self._held.items():
            postbacks.hold(db.session.connection(), destination, until)
            db.session.commit()
        self._held.clear()

    # -- the hand -----------------------------------------------------------

    def _open(self, claimed: ClaimedPostback, now: float) -> None:
        try:
            way = self._resolver.resolve(claimed.tracker, claimed.settings, now)
        except DestinationUnavailable as error:
            self._conclude(defer(claimed, str(error), now + WAIT_FOR_TRACKER))
            return
        if (end := too_late(claimed, way, now)) is not None:
            self._conclude(end)
            return
        try:
            attempt = DeliveryAttempt.open(claimed, way, now)
        except AdapterFailed as error:
            self._batch.note(claimed.destination_id, good=False)
            if error.slow:
                self._resolver.cool_down(claimed.tracker, self._clock() + COOL_DOWN)
            at = Moment(now, self._rng)
            settled, tried = failed_to_build(claimed, way.span, error.reason, at)
            self._conclude(settled, [tried])
            return
        if attempt.is_too_old or attempt.step >= len(attempt.requests):
            reason = "older than the tracker accepts" if attempt.is_too_old else NOTHING_TO_SEND
            self._conclude(discard(claimed, reason, now))
            return
        self._queues[claimed.destination_id].append(attempt)

    def _dispatch(self) -> None:
        """Start what has a place; hand back what waited for one too long."""
        now = self._clock()
        for destination, queue in list(self._queues.items()):
            while queue and self._limiter.has_room(destination, queue[0].host):
                self._start(queue.popleft())
            if queue and now - queue[0].taken > self._lease_seconds * 0.4:
                self._release(queue)
            if not queue:
                del self._queues[destination]

    def _start(self, attempt: DeliveryAttempt) -> None:
        if (pace := attempt.way.pace) is not None:
            due = self._pacing.take(attempt.claimed.tracker, pace, self._clock())
            if due is not None:
                self._conclude(defer_step(attempt, WAITS_ITS_TURN, due), attempt.tried)
                return
        self._limiter.acquire(attempt.claimed.destination_id, attempt.host)
        self._in_flight[attempt.claimed.id] = attempt
        self._transport.start(attempt.request, attempt.claimed.id)

    def _on_answer(self, answer: Answer) -> None:
        """One answer is there: read it, and go on or conclude."""
        attempt = self._in_flight.pop(answer.tag)  # type: ignore[call-overload]
        destination = attempt.claimed.destination_id
        self._limiter.release(destination, attempt.host)
        outcome = attempt.read(answer)
        good = outcome.verdict.is_success
        self._limiter.record_result(destination, good=good)
        self._note_health(attempt, outcome)
        if attempt.fault is not None and attempt.fault.slow:
            self._resolver.cool_down(attempt.claimed.tracker, self._clock() + COOL_DOWN)
        before = attempt.event
        settled = conclude(attempt, outcome, answer, Moment(self._clock(), self._rng))
        if settled is not None:
            self._conclude(settled, attempt.tried)
            return
        # The lease must outlive another step. What cannot be built goes the
        # ordinary way, and fails there for all to see.
        in_time = self._clock() - attempt.taken < self._lease_seconds * 0.5
        if in_time and (before is attempt.event or attempt.rebuild()):
            self._start(attempt)
        else:
            self._conclude(defer_step(attempt, "", self._clock()), attempt.tried)

    def _note_health(self, attempt: DeliveryAttempt, outcome: Outcome) -> None:
        """The success of a destination that had no trouble is no news."""
        destination = attempt.claimed.destination_id
        good = outcome.verdict is not Verdict.RETRY
        if good and not (outcome.stop or attempt.claimed.failures or destination in self._ailing):
            return
        (self._ailing.discard if good else self._ailing.add)(destination)
        stop = (outcome.reason or "stopped by an answer") if outcome.stop else ""
        self._batch.note(destination, good=good, stop=stop, settings=attempt.claimed.settings)

    def _conclude(self, settled: PostbackUpdate, tried: list[AttemptRow] | None = None) -> None:
        self._touch()
        self._batch.settled.append(settled)
        self._batch.tried += tried or []

    def _touch(self) -> None:
        if not self._batch:
            self._batch.oldest = self._clock()

    # -- the end ------------------------------------------------------------

    def _release(self, queue: deque[DeliveryAttempt]) -> None:
        self._touch()
        self._batch.untouched += [attempt.claimed.id for attempt in queue]
        queue.clear()

    def _release_queued(self) -> None:
        for queue in self._queues.values():
            self._release(queue)
        self._queues.clear()

    def _abort_in_flight(self) -> None:
        """Our own end is no fault of the tracker: no attempt is charged."""
        self._transport.abort()
        now = self._clock()
        for attempt in self._in_flight.values():
            attempt.first_try = attempt.first_try or now  # it may have arrived
            self._conclude(defer_step(attempt, "", now), attempt.tried)
        self._in_flight.clear()
