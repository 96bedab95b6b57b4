"""What a worker claims: as many rows as earned, and as the tracker's rate allows."""

from collections import Counter
from typing import Any

import pytest

from app.extensions import db
from app.models import Destination
from app.sandbox.telegram import people
from app.services.delivery.attempt import DeliveryAttempt
from app.services.delivery.claims import (
    COMPANY,
    ENOUGH,
    LONG_REST,
    LOOK_AGAIN,
    REFILL,
    REST,
    Claims,
    Shares,
)
from app.services.delivery.in_flight import InFlight
from app.services.delivery.limits.concurrency import (
    CLAIMED_AT_ONCE,
    FEW_ROWS,
    IN_COMPANY,
    MAX_CLAIMED,
    PER_DESTINATION,
    ConcurrencyLimiter,
)
from app.services.delivery.limits.rate import RateLimiter
from app.services.delivery.targets import DestinationResolver
from app.services.postbacks import ClaimedPostback, DueDestination, claim
from plugins.contract import DeliveryPolicy, RateLimit, hookimpl
from plugins.registry import Registry, make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.delivery import Clock, Exchange, T, alter

BURST = 3
RATE = RateLimit("k", 1, BURST)


class Limited(PlainPlugin):
    """A tracker that takes one request a minute after the first three."""

    @hookimpl
    def delivery_policy(self):
        return DeliveryPolicy(rate_limit=RATE)


class Worker:
    """The parts of a delivery that a claim looks at."""

    def __init__(self, registry: Any, clock: Clock) -> None:
        self.clock = clock
        self.resolver = DestinationResolver(registry)
        self.limiter = ConcurrencyLimiter()
        self.rates = RateLimiter()
        self.in_flight = InFlight(Exchange(), self.limiter)
        self.claims = Claims(self.resolver, self.limiter, self.rates, self.in_flight, clock)

    def claim(self, most: int = 1000) -> list[ClaimedPostback]:
        now = self.clock()
        claim = self.claims.prepare(now=now, lease="mine", until=now + 45, most=most)
        claimed = claim(db.session.connection())
        db.session.commit()
        return claimed

    def claim_for_others(self) -> list[ClaimedPostback]:
        now = self.clock()
        claim = self.claims.prepare_for_others(now=now, lease="mine", until=now + 45, most=1000)
        claimed = claim(db.session.connection())
        db.session.commit()
        return claimed

    def queue_claimed(self) -> None:
        """Claim, and let all of it wait for slots."""
        for claimed in self.claim():
            destination = self.resolver.resolve(claimed.tracker, claimed.settings, self.clock.now)
            self.in_flight.enqueue(DeliveryAttempt.build(claimed, destination, self.clock.now))

    def slow_down(self) -> None:
        """Let a claim take REFILL seconds for each destination."""
        quota_for = self.limiter.claimable

        def slow(due: DueDestination) -> int:
            self.clock.now += REFILL
            return quota_for(due)

        self.limiter.claimable = slow  # type: ignore[method-assign]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(live_app, clock) -> Worker:
    return Worker(live_app.extensions["trackers"], clock)


@pytest.fixture
def limited(stage, clock, clean_redis) -> Worker:
    """A worker that knows the limited tracker already, and has ten postbacks for it."""
    worker = Worker(Registry({"limited": make_adapter("limited", Limited())}), clock)
    alter(Destination, tracker="limited")
    start_many(stage, 11)
    (first,) = worker.claim(most=1)
    worker.resolver.resolve(first.tracker, first.settings, clock.now)
    return worker


def start_many(stage: Any, count: int) -> None:
    for number in range(count):
        stage.play(people.start(people.Person(1000 + number), f"{stage.code}-a", T))


def test_an_unknown_destination_is_claimed_from_with_care(stage, worker):
    start_many(stage, PER_DESTINATION + 3)
    assert len(worker.claim()) == PER_DESTINATION
    assert worker.claim() == []  # they are in its hands already
    worker.limiter.record_result(stage.destination, succeeded=True)
    assert len(worker.claim()) == 1


def test_after_an_empty_claim_the_next_one_waits(stage, worker, clock):
    assert worker.claims.is_due(clock.now, MAX_CLAIMED)
    assert worker.claim() == []
    assert not worker.claims.is_due(clock.now, MAX_CLAIMED)
    assert worker.claims.is_due(clock.now + LOOK_AGAIN, MAX_CLAIMED)
    start_many(stage, 1)
    assert len(worker.claim()) == 1
    assert worker.claims.is_due(clock.now, MAX_CLAIMED)


def test_while_enough_is_queued_claims_are_made_together(stage, worker, clock):
    start_many(stage, PER_DESTINATION)
    worker.queue_claimed()
    assert worker.in_flight.is_well_stocked
    assert not worker.claims.is_due(clock.now, MAX_CLAIMED)
    assert worker.claims.is_due(clock.now + REFILL, MAX_CLAIMED)


def test_after_a_claim_that_took_long_others_get_most_of_the_time(stage, worker, clock):
    start_many(stage, PER_DESTINATION)
    worker.slow_down()
    worker.queue_claimed()
    assert not worker.claims.is_due(clock.now + REFILL, MAX_CLAIMED)
    assert worker.claims.is_due(clock.now + (REST + 1) * REFILL, MAX_CLAIMED)


def test_between_claims_a_worker_takes_what_waits_for_accounts_of_which_it_holds_little(
    make_stage, worker
):
    loud, quiet = make_stage(), make_stage()
    start_many(loud, 2 * PER_DESTINATION)
    worker.queue_claimed()
    worker.limiter.claimable = lambda _due: MAX_CLAIMED
    assert worker.claim_for_others() == []
    start_many(quiet, 2)
    assert [one.account_id for one in worker.claim_for_others()] == 2 * [quiet.account]
    assert worker.in_flight.by_account()[loud.account] >= ENOUGH


def test_a_claim_is_smaller_while_somebody_else_has_postbacks(make_stage, worker, clock):
    loud, quiet = make_stage(), make_stage()
    start_many(loud, 3 * CLAIMED_AT_ONCE)
    start_many(quiet, 1)
    worker.limiter.claimable = lambda _due: MAX_CLAIMED
    assert len(worker.claim()) > IN_COMPANY
    assert len(worker.claim()) == IN_COMPANY
    clock.now += COMPANY
    assert len(worker.claim()) == CLAIMED_AT_ONCE


def test_claims_ride_along_with_what_is_settled_only_while_one_account_is_alone(
    make_stage, worker, clock
):
    loud, quiet = make_stage(), make_stage()
    start_many(loud, PER_DESTINATION)
    worker.queue_claimed()
    assert worker.claims.may_ride(clock.now, FEW_ROWS + 1)
    assert not worker.claims.may_ride(clock.now, FEW_ROWS)
    start_many(quiet, 1)
    worker.claim()
    assert not worker.claims.may_ride(clock.now, FEW_ROWS + 1)
    assert worker.claims.may_ride(clock.now + COMPANY, FEW_ROWS + 1)


def test_others_that_may_not_be_sent_to_are_not_asked_for_again_at_once(stage, worker, clock):
    start_many(stage, 1)
    worker.limiter.claimable = lambda _due: 0
    assert worker.claims.may_ask_for_others(clock.now, 1)
    assert worker.claim_for_others() == []
    assert not worker.claims.may_ask_for_others(clock.now, 1)
    assert worker.claims.may_ask_for_others(clock.now + LOOK_AGAIN, 1)
    assert not worker.claims.may_ask_for_others(clock.now + LOOK_AGAIN, 0)


def test_where_a_claim_does_not_see_all_destinations_nobody_asks_for_others(
    stage, worker, clock, monkeypatch
):
    start_many(stage, 1)
    monkeypatch.setitem(claim.__globals__, "_ROUND", 1)
    worker.claim()
    assert not worker.claims.may_ask_for_others(clock.now, 1)


def test_a_claim_that_did_not_see_all_destinations_pays_for_more_rows(
    stage, worker, clock, monkeypatch
):
    start_many(stage, PER_DESTINATION)
    worker.slow_down()
    monkeypatch.setitem(claim.__globals__, "_ROUND", 1)
    monkeypatch.setitem(claim.__globals__, "_FAIR", PER_DESTINATION)
    worker.queue_claimed()
    assert not worker.claims.is_due(clock.now + (REST + 1) * REFILL, MAX_CLAIMED)
    assert worker.claims.is_due(clock.now + (LONG_REST + 1) * REFILL, MAX_CLAIMED)


def test_one_claim_takes_so_many_unless_more_destinations_wait_than_it_sees(
    stage, worker, monkeypatch
):
    start_many(stage, 3 * CLAIMED_AT_ONCE)
    worker.limiter.claimable = lambda _due: MAX_CLAIMED
    assert len(worker.claim()) == CLAIMED_AT_ONCE
    monkeypatch.setitem(claim.__globals__, "_ROUND", 1)
    monkeypatch.setitem(claim.__globals__, "_FAIR", 1)
    assert len(worker.claim()) == 1
    monkeypatch.setitem(claim.__globals__, "_FAIR", MAX_CLAIMED)
    assert len(worker.claim()) == 2 * CLAIMED_AT_ONCE - 1


def test_an_account_that_may_have_no_more_is_not_asked_what_its_destinations_may(stage, worker):
    """Of a thousand destinations of one account most are looked at for nothing."""
    start_many(stage, 2)
    asked = []
    worker.limiter.claimable = lambda due: asked.append(due.id) or 1
    shares = Shares(Counter({stage.account: MAX_CLAIMED}), MAX_CLAIMED)
    due = DueDestination(stage.destination, stage.account, 0, 0, "url_template", "")
    assert worker.claims._shared_quota_for(due, 10, shares) == 0
    assert asked == []
    assert len(worker.claim()) == 1
    assert asked == [stage.destination]


def test_destinations_take_turns_when_a_claim_is_small(make_stage, worker):
    stages = [make_stage() for _ in range(3)]
    for stage in stages:
        start_many(stage, 4)
    turns = [{postback.destination_id for postback in worker.claim(most=4)} for _ in stages]
    first, second, third = (stage.destination for stage in stages)
    assert turns == [{first, second}, {third, first}, {second, third}]


def test_no_more_is_claimed_than_the_trackers_rate_allows(limited):
    assert len(limited.claim()) == BURST


def test_a_destination_without_tokens_is_not_looked_at_until_there_is_one(stage, limited, clock):
    for _ in range(BURST):
        assert limited.rates.acquire("limited", RATE, clock.now) is None
    assert limited.claim() == []
    limited.claims.block_exhausted()
    row = db.session.get(Destination, stage.destination, populate_existing=True)
    assert clock.now + 50 < row.blocked_until <= clock.now + 60
    db.session.commit()
    clock.now += 61
    assert len(limited.claim()) == 1


def test_for_few_rows_a_claim_is_made_only_from_time_to_time(worker, clock):
    worker.claim()
    at = clock.now + LOOK_AGAIN
    assert worker.claims.is_due(at, FEW_ROWS + 1)
    assert not worker.claims.is_due(at, FEW_ROWS)
    assert worker.claims.is_due(at + LOOK_AGAIN, 1)
    assert not worker.claims.is_due(at + LOOK_AGAIN, 0)
