"""Delivery: claim, build, exchange, classify, settle; as a flow, not as rounds.

`run` does all of it. A process that stages postbacks itself claims none: it inserts them under
the lease and has them sent (`lease`, `take_up`, `turn`).

While some answers are awaited, others are settled and new rows are claimed in
the same commit. No database connection is held across the network, and what
cannot be started in time is released untouched.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection

from app.services import postbacks
from app.services.delivery.claims import LOOK_AGAIN, Claims
from app.services.delivery.commits import Commits, CommitsInLine
from app.services.delivery.in_flight import Exchange, InFlight
from app.services.delivery.limits.concurrency import (
    FEW_ROWS,
    MAX_CLAIMED,
    ConcurrencyLimiter,
)
from app.services.delivery.limits.rate import RateLimiter
from app.services.delivery.outcomes import Outcomes
from app.services.delivery.sending import Sender
from app.services.delivery.targets import DestinationResolver
from app.services.delivery.touches import Touches
from app.services.postbacks import ClaimedPostback, Lease
from plugins.host.time_limit import shared_timer

log = structlog.get_logger()

BUILD_SECONDS: Final = 0.05  # of requests, until answers are read again
STOP_SECONDS: Final = 4.0  # for answers that are still in flight after a stop


def _never() -> bool:
    return False


class _Taken(NamedTuple):
    """What a commit has claimed, and when it began, in Unix seconds."""

    postbacks: Sequence[ClaimedPostback]
    at: float


class Delivery:
    """Delivers the postbacks of one process, in as many runs as it lives, under one lease token.

    What it learned of destinations and adapters, and the connections, stay from run to run.
    """

    def __init__(
        self,
        transport: Exchange,
        resolver: DestinationResolver,
        *,
        lease_seconds: float,
        commits: Commits | None = None,
        limiter: ConcurrencyLimiter | None = None,
        rates: RateLimiter | None = None,
        clock: Callable[[], float] = time.time,
        rng: Callable[[], float] = random.random,
    ) -> None:
        limiter, rates = limiter or ConcurrencyLimiter(), rates or RateLimiter()
        self._lease = secrets.token_hex(16)
        self._lease_seconds = lease_seconds
        self._clock = clock
        self._in_flight = InFlight(transport, limiter)
        self._outcomes = Outcomes(clock)
        self._commits = commits or CommitsInLine()
        self._touches = Touches(resolver)
        self._claims = Claims(resolver, limiter, rates, self._in_flight, clock)
        self._sender = Sender(
            self._in_flight, self._outcomes, resolver, limiter, rates,
            touches=self._touches, lease_seconds=lease_seconds, clock=clock, rng=rng,
        )  # fmt: skip

    def run(
        self,
        *,
        seconds: float,
        lasting: float = 0.0,
        stop: Callable[[], bool] = lambda: False,
        pulse: Callable[[], None] = lambda: None,
    ) -> int:
        """Deliver until nothing is due, `seconds` are over or `stop()` is true.

        While answers are awaited it goes on for up to `lasting` seconds, or whoever comes meanwhile
        would wait for the slowest tracker of all. Returns how many postbacks were settled. `pulse`
        is called on each turn.
        """
        before, now = self._outcomes.count, self._clock()
        with shared_timer():
            self._drain(now + seconds, now + max(seconds, lasting), stop, pulse)
        return self._outcomes.count - before

    @property
    def awaits_answers(self) -> bool:
        """Whether anything is in flight or queued for it."""
        return bool(self._in_flight)

    @property
    def has_outcomes(self) -> bool:
        """Whether anything is to be settled."""
        return bool(self._outcomes)

    @property
    def is_under_way(self) -> bool:
        """Whether this process knows of anything that others would send again, or is sending it."""
        return bool(self._in_flight or self._outcomes or self._commits.is_pending)

    @property
    def is_along(self) -> bool:
        """Whether outcomes were written in a transaction of the caller's that is not confirmed."""
        return self._outcomes.are_along

    def lease(self, now: float) -> Lease | None:
        """The lease under which new postbacks are inserted that this process sends at once.

        None while it has enough to do. `now` is in Unix seconds.
        """
        return self._claims.lease(self._lease, now + self._lease_seconds)

    def settle_along(self, connection: Connection, now: float) -> None:
        """Settle in a transaction of the caller's, who calls `take_up` after its commit.

        Nothing is settled when the last such transaction failed, for the fault might be of what
        is settled, and never what becomes of destinations: their rows are locked for no longer
        than it takes.
        """
        self._outcomes.settle_along(connection, self._lease, now)

    def read_touches(self, connection: Connection, in_hand: Sequence[ClaimedPostback]) -> None:
        """Read the clicks of what is inserted under the lease, for `take_up`."""
        self._touches.read(connection, in_hand)

    def take_up(self, claimed: Iterable[ClaimedPostback], now: float) -> None:
        """Send what was inserted under the lease at `now` and is committed."""
        self._outcomes.confirm_along()
        self._accept(claimed, now)
        self._sender.dispatch()

    def turn(self, seconds: float) -> None:
        """Send what has a slot, read answers for at most `seconds`, settle what has waited."""
        self._sender.dispatch()
        self._sender.receive(seconds)
        if self._outcomes.are_ripe(self._clock(), idle=False):
            self.settle()

    def settle(self) -> None:
        """Settle now, in a transaction of its own."""
        self._commit(claiming=False, last=True)

    def finish(self, stop: Callable[[], bool], pulse: Callable[[], None]) -> None:
        """Release what is not sent, await the answers to the rest, and settle."""
        now = self._clock()
        self._drain(now, now, stop, pulse)

    def _drain(
        self, end: float, last: float, stop: Callable[[], bool], pulse: Callable[[], None]
    ) -> None:
        """Claim until `end`, or until `last` while anything is in flight; then await the rest."""
        while True:
            pulse()
            is_ending = stop() or self._clock() >= (last if self._in_flight else end)
            if is_ending:
                self._sender.release_queued()
            has_claimed = self._commit(claiming=not is_ending, stop=stop)
            self._sender.dispatch()
            if not (self._in_flight or has_claimed or self._commits.is_pending):
                break
            if stop() and self._clock() >= last + STOP_SECONDS:
                self._sender.abort()
            self._sender.receive(LOOK_AGAIN, lambda: self._commits.is_done)
            if stop():
                last = min(last, self._clock())
        self._commit(claiming=False, last=True, stop=stop)

    def _commit(
        self, *, claiming: bool, last: bool = False, stop: Callable[[], bool] = _never
    ) -> bool:
        """Settle and claim in one transaction, if it is worth one. True if rows were claimed.

        While one is running it waits for it only if there is nothing else to do.
        """
        has_claimed = self._take_over(stop)
        if self._outcomes.are_put_back and not self._commits.is_pending:
            # By themselves: the fault may have been the claim's, and might be so again.
            self._begin_commit(claiming=False, last=True)
            has_claimed |= self._take_over(stop)
        if not self._commits.is_pending:
            self._begin_commit(claiming=claiming, last=last)
            has_claimed |= self._take_over(stop)
        return has_claimed

    def _begin_commit(self, *, claiming: bool, last: bool) -> None:
        now = self._clock()
        idle = not self._in_flight
        free = MAX_CLAIMED - len(self._in_flight)
        ripe = self._outcomes.are_ripe(now, idle=idle)
        for_others = claiming and ripe and self._claims.may_ask_for_others(now, free)
        along = (idle and free > FEW_ROWS) or (ripe and self._claims.may_ride(now, free))
        claiming &= self._claims.is_due(now, free) or along
        if not (ripe or claiming or (last and self._outcomes)):
            return
        claim = None
        if claiming or for_others:
            prepare = self._claims.prepare if claiming else self._claims.prepare_for_others
            until = now + self._lease_seconds
            claim = prepare(now=now, lease=self._lease, until=until, most=free)
        outcomes = self._outcomes.take()
        # Their leases ended while their answers waited to be read, and may begin anew.
        held = self._in_flight.held()

        def settle_and_claim(connection: Connection) -> _Taken:
            if outcomes:
                postbacks.settle(connection, self._lease, outcomes, now)
            claimed = claim(connection) if claim else []
            fresh = [postback for postback in claimed if postback.identity not in held]
            if len(fresh) < len(claimed):
                log.warning("postbacks.held", postbacks=len(claimed) - len(fresh))
            if fresh:
                self._touches.read(connection, fresh)
            return _Taken(fresh, now)

        try:
            self._commits.begin(settle_and_claim)
        finally:
            if not self._commits.is_pending:
                self._outcomes.put_back()

    def _take_over(self, stop: Callable[[], bool]) -> bool:
        """Accept what a commit has claimed that has ended. True if that was anything.

        Who was told to stop meanwhile may not hear the answers, and hands it back.
        """
        if not self._commits.is_done and not (
            self._commits.is_pending and not self._in_flight.awaits_answers
        ):
            return False
        try:
            claimed: _Taken = self._commits.result()
            self._outcomes.confirm()  # whatever fails from here on, it is settled once
        finally:
            self._outcomes.put_back()  # nothing, unless the commit failed
        if claimed.postbacks and stop():
            self._outcomes.release(claimed.postbacks)
        else:
            self._accept(*claimed)
        return bool(claimed.postbacks)

    def _accept(self, claimed: Iterable[ClaimedPostback], now: float) -> None:
        """Build what was claimed at `now`; the network has its turn in between."""
        end = self._clock() + BUILD_SECONDS
        for postback in claimed:
            self._sender.accept(postback, now)
            if self._clock() >= end:
                self._sender.dispatch()
                self._sender.receive(0.0)
                end = self._clock() + BUILD_SECONDS
        self._claims.block_exhausted()
