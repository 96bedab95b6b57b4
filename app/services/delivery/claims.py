"""What a worker claims next: how many rows of which destination, and when to look again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection

from app.extensions import db
from app.services import postbacks
from app.services.delivery.concurrency import ConcurrencyLimiter
from app.services.delivery.in_flight import InFlight
from app.services.delivery.rate import LONGEST_WAIT, RateLimiter
from app.services.delivery.targets import DestinationResolver
from app.services.postbacks import ClaimedPostback, DueDestination

LOOK_AGAIN: Final = 0.05  # seconds until the next claim after an empty one
HOLD: Final = 1.0  # seconds without a token from which on nobody need look: the clock's tick


class Claims:
    """Claims due postbacks, round-robin over destinations and within their limits."""

    def __init__(
        self,
        resolver: DestinationResolver,
        limiter: ConcurrencyLimiter,
        rates: RateLimiter,
        in_flight: InFlight,
        clock: Callable[[], float],
    ) -> None:
        self._resolver = resolver
        self._limiter = limiter
        self._rates = rates
        self._in_flight = in_flight
        self._clock = clock
        self._promised: Counter[tuple[str, str]] = Counter()  # tokens, by the current claim
        self._held: dict[int, float] = {}  # destinations without a token, until when
        self._after = 0  # the last destination claimed from: the next claim goes on behind it
        self._look_at = 0.0

    def is_due(self, now: float) -> bool:
        """Whether enough time has passed since a claim that found nothing."""
        return now >= self._look_at

    def claim(
        self, connection: Connection, *, now: float, lease: str, until: float, most: int
    ) -> list[ClaimedPostback]:
        """Lease at most `most` postbacks until `until` (Unix seconds). The caller commits."""
        self._promised.clear()
        result = postbacks.claim(
            connection,
            now=now,
            lease=lease,
            until=until,
            after=self._after,
            room_for=self._room_for,
            most=most,
        )
        self._after = result.after
        self._look_at = now if result.postbacks else now + LOOK_AGAIN
        return result.postbacks

    def hold(self) -> None:
        """Block the destinations that the last claim found without a token. Commits.

        Each in a transaction of its own: no row is locked while another is waited for.
        """
        for destination, until in self._held.items():
            postbacks.hold(db.session.connection(), destination, until)
            db.session.commit()
        self._held.clear()

    def _room_for(self, due: DueDestination) -> int:
        """Rows to claim of a destination: as many as earned, and as may be sent now."""
        room = self._limiter.room_for(due)
        destination = self._resolver.cached(due.tracker, due.settings)
        if destination is None or destination.policy.rate_limit is None:
            return room
        limit, now = destination.policy.rate_limit, self._clock()
        tokens = self._rates.available(due.tracker, limit, now)
        if not tokens and (then := self._rates.next_at(due.tracker, limit)) - now >= HOLD:
            self._held[due.id] = min(then, now + LONGEST_WAIT)
        # Destinations with one key share its tokens: another gets its turn at the next claim.
        shared = (due.tracker, limit.key)
        left = tokens - self._promised[shared] - self._in_flight.queued(due.id)
        room = max(0, min(room, left))
        self._promised[shared] += room
        return room
