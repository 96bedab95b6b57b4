"""The pace of a tracker: shared by all who send, free of charge for who waits."""

import json
import threading
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.extensions import db
from app.models import Attempt, Destination, PostbackState
from app.services import pending_work, postbacks
from app.services.delivery.limits.rate import LONGEST_WAIT, RateLimiter
from app.services.delivery.loop import Delivery
from app.services.delivery.sending import WAITS_ITS_TURN
from app.services.delivery.targets import DestinationResolver
from app.services.postbacks import NewPostback
from plugins.contract import (
    DeliveryPolicy,
    RateLimit,
    Request,
    Response,
    hookimpl,
)
from plugins.registry import Registry, make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.delivery import Clock, Exchange

NOW = 1_800_000_000.0
FAST = RateLimit("a key", 1200, 10)  # 20 a second


class PacedPlugin(PlainPlugin):
    """Two steps an event if told so, 20 requests a second."""

    def __init__(self, pace: RateLimit = FAST, steps: int = 1) -> None:
        self._pace, self._steps = pace, steps

    @hookimpl
    def build_request(self, event):
        url = f"http://127.0.0.2/{event.lead}"
        return tuple(Request("GET", url, step=f"s{one}") for one in range(self._steps))

    @hookimpl
    def delivery_policy(self):
        return DeliveryPolicy(rate_limit=self._pace)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def owe(live_app, stage, clock):
    """`owe(400)`: so many postbacks are due at a tracker with a pace."""

    def owe(count: int) -> None:
        db.session.execute(Destination.__table__.update().values(tracker="paced"))
        owed = [
            NewPostback(
                stage.account, stage.campaign, lead, stage.destination, 1, "wait",
                json.dumps({
                    "id": f"e{lead}", "kind": "wait", "time": 1, "lead": lead, "account": 1,
                    "campaign": "c", "chat": 1, "subscriber": 1,
                }),
            )
            for lead in range(1, count + 1)
        ]  # fmt: skip
        postbacks.stage(db.session.connection(), owed, clock())
        db.session.commit()

    return owe


class Worker:
    """One process's delivery, and when it sent what."""

    def __init__(self, clock: Clock, plugin: Any = None, rates: RateLimiter | None = None) -> None:
        self.times: list[float] = []
        registry = Registry({"paced": make_adapter("paced", plugin or PacedPlugin())})

        def answer(_request: Request) -> Response:
            self.times.append(clock.now)
            return Response(200)

        self._clock = clock
        self._delivery = Delivery(
            Exchange(answer),
            DestinationResolver(registry),
            lease_seconds=45,
            clock=clock,
            rates=rates,
        )

    def run(self) -> int:
        return self._delivery.run(seconds=60)


def most_within(times: list[float], seconds: float) -> int:
    return max(sum(start <= one < start + seconds for one in times) for start in times)


def attempts() -> int:
    count = db.session.query(Attempt).count()
    db.session.commit()
    return count


def test_three_processes_together_keep_the_pace_and_nothing_fails(stage, owe, clock):
    owe(400)
    workers = [Worker(clock) for _ in range(3)]
    began = clock.now
    for _ in range(1000):
        for worker in workers:
            worker.run()
        if sum(len(worker.times) for worker in workers) == 400:
            break
        clock.now += 0.1
    times = sorted(time for worker in workers for time in worker.times)
    assert len(times) == 400
    for seconds in (0.1, 1, 5):
        assert most_within(times, seconds) <= FAST.burst + 20 * seconds + 1e-6
    assert times[-1] - began < (400 - FAST.burst) / 20 * 1.2 + 1  # and do not dawdle
    rows = stage.postbacks()
    assert {(row.state, row.tries) for row in rows} == {(PostbackState.DELIVERED, 1)}
    assert attempts() == 400


def test_who_waits_is_not_charged_and_knows_when(stage, owe, clock):
    owe(16)
    worker = Worker(clock)
    worker.run()
    waiting = [row for row in stage.postbacks() if row.state == PostbackState.WAITING]
    assert len(worker.times) == 10
    assert len(waiting) == 6
    assert {(row.tries, row.first_try, row.reason) for row in waiting} == {
        (0, None, WAITS_ITS_TURN)
    }
    dues = sorted(row.due for row in waiting)
    assert dues == sorted(set(dues))  # one after the other, not all at once
    assert clock.now - 0.05 < dues[0] <= clock.now + 0.05
    assert attempts() == 10


def test_what_waits_is_not_claimed_again_and_again(stage, owe, clock):
    owe(400)
    worker = Worker(clock)
    worker.run()
    deferred = {row.id for row in stage.postbacks() if row.reason == WAITS_ITS_TURN}
    assert len(deferred) <= 16
    worker.run()
    assert len([row for row in stage.postbacks() if row.reason == WAITS_ITS_TURN]) <= 17


def test_every_step_counts_and_a_step_that_waits_is_not_repeated(stage, owe, clock):
    owe(1)
    worker = Worker(clock, PacedPlugin(RateLimit("k", 60, 1), steps=2))
    worker.run()
    (row,) = stage.postbacks()
    assert (row.state, row.steps, row.tries) == (PostbackState.WAITING, 1, 0)
    assert attempts() == 1
    clock.now = row.due
    worker.run()
    (row,) = stage.postbacks()
    assert (row.state, row.steps, row.tries) == (PostbackState.DELIVERED, 2, 1)
    assert len(worker.times) == 2


SLOW = RateLimit("k", 6, 1)  # one in ten seconds


def due(clock: Clock) -> bool:
    found = pending_work.look(clock.now).postbacks
    db.session.rollback()
    return found


def test_a_backlog_that_only_waits_for_its_pace_calls_nobody(stage, owe, clock):
    owe(20)
    worker = Worker(clock, PacedPlugin(SLOW))
    assert due(clock)
    for sent in (1, 2, 3):
        worker.run()
        assert len(worker.times) == sent
        assert not due(clock)
        clock.now += 9
        assert not due(clock)
        clock.now += 1
        assert due(clock)


def test_who_is_held_back_by_the_pace_holds_nobody_else_back(stage, owe, make_stage, clock):
    owe(20)
    worker = Worker(clock, PacedPlugin(SLOW))
    worker.run()
    other = make_stage()
    owed = NewPostback(other.account, other.campaign, 1, other.destination, 1, "wait", "{}")
    postbacks.stage(db.session.connection(), [owed], clock.now)
    db.session.commit()
    assert due(clock)


@pytest.mark.parametrize("pace", [SLOW, RateLimit("k", 300, 50)])
def test_destinations_of_one_key_take_turns(stage, make_stage, clock, pace):
    stages = [stage, make_stage()]
    db.session.execute(Destination.__table__.update().values(tracker="paced"))
    owed = [
        NewPostback(one.account, one.campaign, lead, one.destination, 1, "wait", json.dumps({
            "id": f"{one.destination}-{lead}", "kind": "wait", "time": 1, "lead": lead,
            "account": 1, "campaign": "c", "chat": 1, "subscriber": 1,
        }))
        for one in stages
        for lead in range(1, 201)
    ]  # fmt: skip
    postbacks.stage(db.session.connection(), owed, clock())
    db.session.commit()
    worker = Worker(clock, PacedPlugin(pace))
    for _ in range(20):
        worker.run()
        clock.now += max(1.0, 60 / pace.per_minute)
    sent = [sum(row.state == PostbackState.DELIVERED for row in one.postbacks()) for one in stages]
    assert sum(sent) >= 20
    assert min(sent) > 0.6 * max(sent)


def test_a_pace_without_a_pause_worth_sleeping_is_looked_after(stage, owe, clock):
    owe(400)
    Worker(clock).run()
    assert due(clock)  # twenty more tokens by the clock's next tick


def test_nobody_is_held_for_longer_than_a_minute(stage, owe, clock):
    owe(3)
    Worker(clock, PacedPlugin(RateLimit("k", 1 / 60, 1))).run()
    assert not due(clock)
    clock.now += LONGEST_WAIT
    assert due(clock)


def test_while_redis_is_away_each_process_keeps_the_pace_for_itself(stage, owe, clock):
    owe(60)
    nowhere = redis.Redis(unix_socket_path="/tmp/no such socket", retry=Retry(NoBackoff(), 0))
    worker = Worker(clock, rates=RateLimiter(lambda: nowhere))
    for _ in range(200):
        worker.run()
        clock.now += 0.05
    assert len(worker.times) == 60
    assert most_within(worker.times, 1) <= FAST.burst + 20
    assert {row.state for row in stage.postbacks()} == {PostbackState.DELIVERED}


def taken(rates: RateLimiter, pace: RateLimit, now: float, tracker: str = "t") -> int:
    """How many tokens there are, by taking them."""
    for count in range(10_000):
        if rates.acquire(tracker, pace, now) is not None:
            return count
    raise AssertionError("there is no limit")


@pytest.fixture
def make_limiter(clean_redis):
    return lambda: RateLimiter(lambda: clean_redis)


def test_processes_that_ask_at_once_get_one_burst_between_them(make_limiter):
    counts: list[int] = []
    limiters = [make_limiter() for _ in range(3)]
    threads = [
        threading.Thread(target=lambda one=one: counts.append(taken(one, FAST, NOW)))
        for one in limiters
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == FAST.burst


def test_other_keys_and_other_trackers_have_paces_of_their_own(make_limiter):
    limiter = make_limiter()
    assert taken(limiter, FAST, NOW) == 10
    assert taken(limiter, RateLimit("other", 1200, 10), NOW) == 10
    assert taken(limiter, FAST, NOW, tracker="other") == 10


def test_redis_learns_no_key(make_limiter, clean_redis):
    make_limiter().acquire("t", RateLimit("s3cret", 60, 5), NOW)
    (name,) = clean_redis.keys("*")
    assert b"s3cret" not in name
    assert 0 < clean_redis.ttl(name) <= 2


def test_a_redis_that_was_emptied_gives_no_second_burst(make_limiter, clean_redis):
    limiter = make_limiter()
    assert taken(limiter, FAST, NOW) == 10
    clean_redis.flushall()
    assert taken(limiter, FAST, NOW + 0.05) == 1
    assert taken(make_limiter(), FAST, NOW + 0.05) == 0  # and the others learn of it


def test_nonsense_in_redis_stops_nobody(make_limiter, clean_redis):
    limiter = make_limiter()
    limiter.acquire("t", FAST, NOW)
    (name,) = clean_redis.keys("*")
    clean_redis.set(name, "nonsense")
    assert taken(limiter, FAST, NOW + 1) == 10


def test_a_clock_that_is_set_back_delays_nobody_for_long(make_limiter, clean_redis):
    limiter = make_limiter()
    assert taken(limiter, FAST, NOW + 3600) == 10
    clean_redis.flushall()  # what expires meanwhile
    assert limiter.acquire("t", FAST, NOW) == pytest.approx(NOW + 0.05)
    assert limiter.acquire("t", FAST, NOW + 0.06) is None


def test_nobody_is_told_to_come_back_in_hours(make_limiter):
    limiter, hourly = make_limiter(), RateLimit("k", 1 / 60, 1)
    assert limiter.acquire("t", hourly, NOW) is None
    assert limiter.acquire("t", hourly, NOW) == NOW + LONGEST_WAIT


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    per_minute=st.floats(1, 6000),
    burst=st.integers(1, 60),
    visits=st.lists(st.tuples(st.floats(0, 3), st.integers(0, 2), st.integers(1, 20)), max_size=30),
)
def test_no_span_ever_holds_more_than_its_share(clean_redis, per_minute, burst, visits):
    clean_redis.flushall()
    limiters = [RateLimiter(lambda: clean_redis) for _ in range(3)]
    pace = RateLimit("k", per_minute, burst)
    now, granted = NOW, []
    for pause, who, wanted in visits:
        now += pause
        for _ in range(wanted):
            room = limiters[who].available("t", pace, now)
            due = limiters[who].acquire("t", pace, now)
            assert due is None or now < due <= now + LONGEST_WAIT
            assert due is not None or room > 0
            granted += [now] * (due is None)
    for first, start in enumerate(granted):
        for last, end in enumerate(granted[first:], first):
            assert last - first + 1 <= burst + (end - start) * per_minute / 60 + 1e-3
