"""Delivery: claim, build, exchange, classify, settle; as a flow, not as rounds.

While some answers are awaited, others are settled and new rows are claimed in
the same commit. No database connection is held across the network, and what
cannot be started in time is released untouched.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from typing import Final

from app.extensions import db
from app.services.delivery.claims import LOOK_AGAIN, Claims
from app.services.delivery.concurrency import FEW_ROWS, MAX_CLAIMED, ConcurrencyLimiter
from app.services.delivery.in_flight import Exchange, InFlight
from app.services.delivery.outcomes import Outcomes
from app.services.delivery.rate import RateLimiter
from app.services.delivery.sending import Sender
from app.services.delivery.targets import DestinationResolver
from plugins.host.time_limit import shared_timer

STOP_SECONDS: Final = 4.0  # for answers that are still in flight after a stop


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
        self._claims = Claims(resolver, limiter, rates, self._in_flight, clock)
        self._sender = Sender(
            self._in_flight, self._outcomes, resolver, limiter, rates,
            lease_seconds=lease_seconds, clock=clock, rng=rng,
        )  # fmt: skip

    def run(
        self,
        *,
        seconds: float,
        stop: Callable[[], bool] = lambda: False,
        pulse: Callable[[], None] = lambda: None,
    ) -> int:
        """Deliver until nothing is due, `seconds` are over or `stop()` is true.

        Returns how many postbacks were settled meanwhile. `pulse` is called on each turn.
        """
        before = self._outcomes.count
        with shared_timer():
            self._drain(self._clock() + seconds, stop, pulse)
        return self._outcomes.count - before

    def _drain(self, end: float, stop: Callable[[], bool], pulse: Callable[[], None]) -> None:
        while True:
            pulse()
            is_ending = stop() or self._clock() >= end
            if is_ending:
                self._sender.release_queued()
            has_claimed = self._commit(claiming=not is_ending)
            self._sender.dispatch()
            if not self._in_flight and not has_claimed:
                break
            if stop() and self._clock() >= end + STOP_SECONDS:
                self._sender.abort()
            self._sender.receive(LOOK_AGAIN)
            if stop():
                end = min(end, self._clock())
        self._commit(claiming=False, last=True)

    def _commit(self, *, claiming: bool, last: bool = False) -> bool:
        """Settle and claim in one transaction. True if rows were claimed."""
        now = self._clock()
        idle = not self._in_flight
        free = MAX_CLAIMED - len(self._in_flight)
        ripe = self._outcomes.are_ripe(now, idle=idle)
        claiming &= self._claims.is_due(now, free) or (free > FEW_ROWS and (ripe or idle))
        if not (ripe or claiming or (last and self._outcomes)):
            return False
        connection = db.session.connection()
        self._outcomes.settle(connection, self._lease, now)
        claimed = []
        if claiming:
            until = now + self._lease_seconds
            claimed = self._claims.claim(
                connection, now=now, lease=self._lease, until=until, most=free
            )
        db.session.commit()
        self._outcomes.clear()  # committed: whatever fails from here on, it is settled once
        for postback in claimed:
            self._sender.accept(postback, now)
        self._claims.block_exhausted()
        return bool(claimed)
