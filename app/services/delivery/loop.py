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
from typing import Final, Protocol

from sqlalchemy import Connection

from app.extensions import db
from app.outbound.transport import Answer
from app.services import postbacks
from app.services.delivery.attempt import (
    Chance,
    Parcel,
    conclude,
    discard,
    failed_to_build,
    put_aside,
    put_off,
    too_late,
)
from app.services.delivery.concurrency import Places
from app.services.delivery.rate import LONGEST, Pacing
from app.services.delivery.targets import REST, NoWay, Ways
from app.services.postbacks import Batch, Claimed, Settled, Tried, Wanted
from plugins.contract import Outcome, Request, Verdict
from plugins.host.validation import AdapterFailed

IN_HAND: Final = 1024  # rows of one drain, waiting or in the air
SETTLE_AT: Final = 128  # outcomes that are worth a commit by themselves
SETTLE_AFTER: Final = 0.02  # seconds an outcome waits for company
LOOK_AGAIN: Final = 0.05  # seconds until the next claim after an empty one
WAIT_FOR_TRACKER: Final = 60.0  # seconds until a missing plugin is asked for again
NOTHING_TO_SEND: Final = "the destination has nothing to send for this event"
WAITS_ITS_TURN: Final = "waits its turn: the tracker limits how fast it may be told"
HOLD: Final = 1.0  # seconds without a token from which on nobody need look: the clock's tick
LAST_WORDS: Final = 4.0  # seconds for answers in the air after a stop


class Exchange(Protocol):
    """What delivery needs of `outbound.transport.Transport`."""

    def start(self, request: Request, tag: object) -> None:
        """Send; the answer comes from `poll` under `tag`."""

    def poll(self, seconds: float) -> list[Answer]:
        """Answers that are ready, waiting at most `seconds` for the first."""

    def abort(self) -> list[object]:
        """Drop what is in the air; returns the tags."""


class Delivery:
    """One drain of the outbox: its hand, its lease, its outcomes."""

    def __init__(
        self,
        transport: Exchange,
        ways: Ways,
        *,
        lease_seconds: float,
        places: Places | None = None,
        pacing: Pacing | None = None,
        clock: Callable[[], float] = time.time,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._transport = transport
        self._ways = ways
        self._lease_seconds = lease_seconds
        self._places = places or Places()
        self._pacing = pacing or Pacing()
        self._clock = clock
        self._dice = dice
        self._lease = secrets.token_hex(16)
        self._queues: dict[int, deque[Parcel]] = defaultdict(deque)
        self._air: dict[int, Parcel] = {}
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
                self._put_down()
            more = self._commit(claiming=not ending)
            self._launch()
            if not self._air and not self._queues and not more:
                break
            if stop() and self._clock() >= end + LAST_WORDS:
                self._abandon()
            for answer in self._transport.poll(LOOK_AGAIN if self._air else 0.0):
                self._land(answer)
            if stop():
                end = min(end, self._clock())
        self._commit(claiming=False, last=True)
        return self.count

    # -- the database -------------------------------------------------------

    def _commit(self, *, claiming: bool, last: bool = False) -> bool:
        """Settle and claim in one transaction. True if rows were claimed."""
        now = self._clock()
        room = IN_HAND - len(self._air) - sum(map(len, self._queues.values()))
        idle = not self._air and not self._queues
        ripe = bool(self._batch) and (
            idle or len(self._batch) >= SETTLE_AT or now - self._batch.oldest >= SETTLE_AFTER
        )
        claims = claiming and room > IN_HAND // 4 and (now >= self._look_at or ripe or idle)
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

    def _claim(self, connection: Connection, room: int, now: float) -> list[Claimed]:
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

    def _room_for(self, wanted: Wanted) -> int:
        """Rows to claim of a destination: as many as earned, and as may be sent now."""
        room = self._places.room_for(wanted)
        way = self._ways.known(wanted.tracker, wanted.settings)
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

    def _open(self, claimed: Claimed, now: float) -> None:
        try:
            way = self._ways.to(claimed.tracker, claimed.settings, now)
        except NoWay as error:
            self._conclude(put_off(claimed, str(error), now + WAIT_FOR_TRACKER))
            return
        if (end := too_late(claimed, way, now)) is not None:
            self._conclude(end)
            return
        try:
            parcel = Parcel.open(claimed, way, now)
        except AdapterFailed as error:
            self._batch.note(claimed.destination_id, good=False)
            if error.slow:
                self._ways.rest(claimed.tracker, self._clock() + REST)
            at = Chance(now, self._dice)
            settled, tried = failed_to_build(claimed, way.span, error.reason, at)
            self._conclude(settled, [tried])
            return
        if parcel.is_too_old or parcel.step >= len(parcel.requests):
            reason = "older than the tracker accepts" if parcel.is_too_old else NOTHING_TO_SEND
            self._conclude(discard(claimed, reason, now))
            return
        self._queues[claimed.destination_id].append(parcel)

    def _launch(self) -> None:
        """Start what has a place; hand back what waited for one too long."""
        now = self._clock()
        for destination, queue in list(self._queues.items()):
            while queue and self._places.free(destination, queue[0].host):
                self._start(queue.popleft())
            if queue and now - queue[0].taken > self._lease_seconds * 0.4:
                self._hand_back(queue)
            if not queue:
                del self._queues[destination]

    def _start(self, parcel: Parcel) -> None:
        if (pace := parcel.way.pace) is not None:
            due = self._pacing.take(parcel.claimed.tracker, pace, self._clock())
            if due is not None:
                self._conclude(put_aside(parcel, WAITS_ITS_TURN, due), parcel.tried)
                return
        self._places.take(parcel.claimed.destination_id, parcel.host)
        self._air[parcel.claimed.id] = parcel
        self._transport.start(parcel.request, parcel.claimed.id)

    def _land(self, answer: Answer) -> None:
        """One answer is there: read it, and go on or conclude."""
        parcel = self._air.pop(answer.tag)  # type: ignore[call-overload]
        destination = parcel.claimed.destination_id
        self._places.give(destination, parcel.host)
        outcome = parcel.read(answer)
        good = outcome.verdict.is_success
        self._places.learn(destination, good=good)
        self._note_health(parcel, outcome)
        if parcel.fault is not None and parcel.fault.slow:
            self._ways.rest(parcel.claimed.tracker, self._clock() + REST)
        before = parcel.event
        settled = conclude(parcel, outcome, answer, Chance(self._clock(), self._dice))
        if settled is not None:
            self._conclude(settled, parcel.tried)
            return
        # The lease must outlive another step. What cannot be built goes the
        # ordinary way, and fails there for all to see.
        in_time = self._clock() - parcel.taken < self._lease_seconds * 0.5
        if in_time and (before is parcel.event or parcel.rebuild()):
            self._start(parcel)
        else:
            self._conclude(put_aside(parcel, "", self._clock()), parcel.tried)

    def _note_health(self, parcel: Parcel, outcome: Outcome) -> None:
        """The success of a destination that had no trouble is no news."""
        destination = parcel.claimed.destination_id
        good = outcome.verdict is not Verdict.RETRY
        if good and not (outcome.stop or parcel.claimed.failures or destination in self._ailing):
            return
        (self._ailing.discard if good else self._ailing.add)(destination)
        stop = (outcome.reason or "stopped by an answer") if outcome.stop else ""
        self._batch.note(destination, good=good, stop=stop, settings=parcel.claimed.settings)

    def _conclude(self, settled: Settled, tried: list[Tried] | None = None) -> None:
        self._touch()
        self._batch.settled.append(settled)
        self._batch.tried += tried or []

    def _touch(self) -> None:
        if not self._batch:
            self._batch.oldest = self._clock()

    # -- the end ------------------------------------------------------------

    def _hand_back(self, queue: deque[Parcel]) -> None:
        self._touch()
        self._batch.untouched += [parcel.claimed.id for parcel in queue]
        queue.clear()

    def _put_down(self) -> None:
        for queue in self._queues.values():
            self._hand_back(queue)
        self._queues.clear()

    def _abandon(self) -> None:
        """Our own end is no fault of the tracker: no attempt is charged."""
        self._transport.abort()
        now = self._clock()
        for parcel in self._air.values():
            parcel.first_try = parcel.first_try or now  # it may have arrived
            self._conclude(put_aside(parcel, "", now), parcel.tried)
        self._air.clear()
