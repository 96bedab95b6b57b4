"""What a worker claims next: how many rows of which destination, and when to look again."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from app.extensions import db
from app.services import postbacks
from app.services.delivery.in_flight import InFlight
from app.services.delivery.limits.concurrency import (
    CLAIM_SHARE_OF_FREE,
    CLAIMED_AT_ONCE,
    FEW_ROWS,
    IN_COMPANY,
    MAX_AT_ONCE,
    MAX_CLAIMED,
    ConcurrencyLimiter,
)
from app.services.delivery.limits.rate import LONGEST_WAIT, RateLimiter
from app.services.delivery.targets import DestinationResolver
from app.services.postbacks import ClaimedPostback, ClaimResult, DueDestination, Lease
from plugins.host.registry import BUILT_INS

LOOK_AGAIN: Final = 0.05  # seconds until the next claim after an empty one
REFILL: Final = 0.02  # seconds until the next claim while enough rows are queued
REST: Final = 3  # then also so many times what the last one took: a quarter of the time at most
#: The same where more destinations wait than a claim looks at: it costs several times as much, and
#: whoever is among the others waits for other claims anyway.
LONG_REST: Final = 9
ENOUGH: Final = 8  # rows of an account, for which nobody looks between claims
COMPANY: Final = 5.0  # seconds for which two accounts count as being there at once
ASK_AGAIN: Final = 1.0  # seconds until it is asked again who of those that are held is suspended
WORTH_BLOCKING: Final = 1.0  # seconds without a token, as long as the clock's tick


class Shares:
    """How many rows each account may still have claimed, of those that are free."""

    def __init__(self, held: Counter[int], capacity: int) -> None:
        self._held, self._free = held, capacity - held.total()

    def full(self) -> list[int]:
        """The accounts that may have no more."""
        return [account for account in self._held if not self.of(account)]

    def take(self, account: int, rows: int) -> int:
        """Return how many of so many rows the account may have, and count them."""
        quota = max(0, min(rows, self.of(account)))
        self._held[account] += quota
        self._free -= quota
        return quota

    def of(self, account: int) -> int:
        """Return how many rows the account may have now."""
        # Each row that the account takes is one more of its own and one less of the free: so many
        # rows, rounded up, that it then holds as many as the share of those that are left.
        over = CLAIM_SHARE_OF_FREE * self._free - self._held[account]
        return max(0, -(-over // (CLAIM_SHARE_OF_FREE + 1)))


@dataclass(slots=True)
class _LastClaim:
    """Behind which destination the next claim goes on, from when on, and how long it may rest.

    `is_partial`: it saw only some of the destinations.
    """

    after: int = 0
    next_at: float = 0.0
    rest: float = 0.0
    is_partial: bool = False


@dataclass(slots=True)
class _Moments:
    """When to ask again who is suspended and who else waits, and until when there is company."""

    ask_suspended: float = 0.0
    ask_others: float = 0.0
    company_ends: float = 0.0


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
        self._exhausted: dict[int, float] = {}  # destinations without a token, until when
        self._last = _LastClaim()
        self._moments = _Moments()

    def is_due(self, now: float, free: int) -> bool:
        """Whether to claim for the `free` rows: some time after a claim that found none.

        For few rows also after any other, and a shorter time while more is queued than in
        flight: what others hold must not keep a newcomer out, and claims for a handful of
        rows would cost more than they bring.
        """
        if free <= FEW_ROWS:
            pause = LOOK_AGAIN
        else:
            pause = max(REFILL, self._last.rest) if self._in_flight.is_well_stocked else 0.0
        return free > 0 and now >= self._last.next_at + pause

    def prepare(
        self, *, now: float, lease: str, until: float, most: int
    ) -> Callable[[Connection], list[ClaimedPostback]]:
        """Return what leases at most `most` postbacks until `until` (Unix seconds).

        No more than CLAIMED_AT_ONCE or IN_COMPANY, but where it sees only some of the destinations:
        there it takes few rows of each, and the turn of the last one has to come. It may run in
        another thread: until it has ended nothing else may be asked of this object, and what the
        worker holds may only become less. Its caller commits.
        """
        self._promised.clear()
        if not self._last.is_partial:
            most = min(most, IN_COMPANY if self._has_company(now) else CLAIMED_AT_ONCE)
        held = self._in_flight.by_account()
        shares = Shares(held.copy(), MAX_CLAIMED)
        full = [*shares.full(), *self._in_flight.hook_time.exhausted()]

        def claim(connection: Connection) -> list[ClaimedPostback]:
            began = self._clock()
            if now >= self._moments.ask_suspended:
                self._limiter.suspended = postbacks.suspended_among(connection, held, now)
                self._moments.ask_suspended = now + ASK_AGAIN
            result = self._claim(connection, lease, until, most, now=now, shares=shares, full=full)
            if len(held.keys() | {postback.account_id for postback in result.postbacks}) > 1:
                self._moments.company_ends = now + COMPANY
            next_at = now if result.postbacks else now + LOOK_AGAIN
            rest = (LONG_REST if result.is_partial else REST) * (self._clock() - began)
            self._last = _LastClaim(result.after, next_at, rest, result.is_partial)
            return result.postbacks

        return claim

    def may_ride(self, now: float, free: int) -> bool:
        """Whether to claim for the `free` rows whenever there is something to settle.

        Not when the postbacks of several accounts were there not long ago: each transaction is
        short then, for somebody waits for its end. One that is alone is served with fewer.
        """
        return free > FEW_ROWS and not self._has_company(now)

    def _has_company(self, now: float) -> bool:
        return now < self._moments.company_ends

    def may_ask_for_others(self, now: float, free: int) -> bool:
        """Whether `prepare_for_others` is worth its price, in a transaction that is made anyway."""
        return free > 0 and not self._last.is_partial and now >= self._moments.ask_others

    def prepare_for_others(
        self, *, now: float, lease: str, until: float, most: int
    ) -> Callable[[Connection], list[ClaimedPostback]]:
        """As `prepare`, but nothing of the accounts of which the worker holds enough.

        While it is well stocked with the rows of a few, claims rest, and whoever has one row
        would wait for all of that. To ask whether anybody has any costs a tenth of a claim.
        """
        self._promised.clear()
        held = self._in_flight.by_account()
        shares = Shares(held.copy(), MAX_CLAIMED)
        stocked = [account for account, rows in held.items() if rows >= ENOUGH]
        full = [*stocked, *self._in_flight.hook_time.exhausted()]
        most = min(most, CLAIMED_AT_ONCE)

        def claim(connection: Connection) -> list[ClaimedPostback]:
            if not postbacks.others_wait(connection, full, now):
                return []
            result = self._claim(connection, lease, until, most, now=now, shares=shares, full=full)
            if not result.postbacks:  # they may not be sent to just now
                self._moments.ask_others = now + LOOK_AGAIN
            return result.postbacks

        return claim

    def _claim(
        self, connection: Connection, lease: str, until: float, most: int, *, now: float,
        shares: Shares, full: list[int],
    ) -> ClaimResult:  # fmt: skip
        return postbacks.claim(
            connection,
            now=now,
            lease=lease,
            until=until,
            after=self._last.after,
            quota_for=lambda due, most: self._shared_quota_for(due, most, shares),
            most=most,
            full=full,
        )

    def lease(self, token: str, until: float) -> Lease | None:
        """What new postbacks this process may send at once; None while it holds enough.

        Those of our own adapters only: a stranger's hook may hang, and updates would wait for it.
        """
        most = MAX_AT_ONCE - len(self._in_flight)
        if most <= 0:
            return None
        self._promised.clear()
        shares = Shares(self._in_flight.by_account(), MAX_AT_ONCE)

        def quota_for(due: DueDestination, most: int) -> int:
            if due.tracker not in BUILT_INS:
                return 0
            return self._shared_quota_for(due, most, shares)

        return Lease(token, until, quota_for, most)

    def block_exhausted(self) -> None:
        """Block the destinations that the last claim found without a token. Commits.

        Each in a transaction of its own: no row is locked while another is waited for.
        """
        for destination, until in self._exhausted.items():
            postbacks.block(db.session.connection(), destination, until)
            db.session.commit()
        self._exhausted.clear()

    def _shared_quota_for(self, due: DueDestination, most: int, shares: Shares) -> int:
        """Rows to claim of a destination, as far as its account may have any."""
        most = min(most, shares.of(due.account_id))
        return shares.take(due.account_id, self._quota_for(due, most)) if most > 0 else 0

    def _quota_for(self, due: DueDestination, most: int) -> int:
        """Rows to claim of a destination: as many as earned, and as may be sent now."""
        quota = min(most, self._limiter.claimable(due))
        destination = self._resolver.cached(due.tracker, due.settings)
        if destination is None or destination.policy.rate_limit is None:
            return quota
        limit, now = destination.policy.rate_limit, self._clock()
        tokens = self._rates.available(due.tracker, limit, now)
        if not tokens and (then := self._rates.next_at(due.tracker, limit)) - now >= WORTH_BLOCKING:
            self._exhausted[due.id] = min(then, now + LONGEST_WAIT)
        # Destinations with one key share its tokens: another gets its turn at the next claim.
        shared = (due.tracker, limit.key)
        left = tokens - self._promised[shared] - self._in_flight.queued(due.id)
        quota = max(0, min(quota, left))
        self._promised[shared] += quota
        return quota
