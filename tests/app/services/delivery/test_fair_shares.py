"""An account whose trackers hang takes no place that a neighbour needs."""

import json
import sys
from collections import Counter, deque

import pytest

from app.domain import events
from app.extensions import db
from app.models import Attempt, PostbackState
from app.outbound.result import Answer
from app.services.delivery.claims import Shares
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from plugins.testing import sample_event
from tests.support.delivery import OK, Clock

HOSTS = 40
OF_EACH = 30
SLOW_SECONDS = 9.5
QUIET = 10


class Hosts:
    """Trackers of which those called "hang" answer after 9.5 s, the others after 20 ms."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[tuple[float, object, float]] = deque()
        self.slow = self.most_slow = 0

    def start(self, request, tag):
        self.on_resolved(tag, True)
        now = self._clock.now
        is_slow = "hang" in request.url
        self._waiting.append((now + (SLOW_SECONDS if is_slow else 0.02), tag, now))
        self.slow += is_slow
        self.most_slow = max(self.most_slow, self.slow)

    def poll(self, seconds):
        if not self._waiting:
            return []
        first = min(self._waiting)[0]
        self._clock.now = max(self._clock.now, min(first, self._clock.now + seconds))
        ready = [one for one in self._waiting if one[0] <= self._clock.now]
        self._waiting = deque(one for one in self._waiting if one[0] > self._clock.now)
        self.slow -= sum(end - start > 1 for end, _, start in ready)
        return [Answer(tag, OK, None, "", 1, start) for _, tag, start in ready]

    def rest(self, seconds):
        self._clock.now += seconds

    def abort(self):
        return [tag for _, tag, _ in self._waiting]


def postbacks_for(world, host, many, clock):
    """A destination at `host` with `many` postbacks that are due."""
    settings = json.dumps({"urls": {"approve": f"https://{host}.example/"}, "method": "GET"})
    destination = world.destination(settings=settings)
    event = events.serialize(sample_event())
    return [
        world.postback(
            destination, event=event, state=PostbackState.WAITING, due=clock.now - 1,
            created=clock.now - 1, settled=None,
        )
        for _ in range(many)
    ]  # fmt: skip


def longest_wait(ids, begin):
    started = db.session.query(Attempt.started).filter(Attempt.postback_id.in_(ids)).all()
    db.session.commit()
    assert len(started) == len(ids), "the neighbour's postbacks were not all sent"
    return max(row.started for row in started) - begin


@pytest.fixture
def delivery(live_app, clock):
    """`delivery(hosts)`: that of a worker."""
    resolver = DestinationResolver(live_app.extensions["trackers"])
    return lambda hosts: Delivery(hosts, resolver, lease_seconds=45, clock=clock, rng=lambda: 0.5)


@pytest.fixture
def worlds(world_of, make_account):
    """The rows of two accounts."""
    return [world_of(make_account().id) for _ in range(2)]


@pytest.fixture
def quiet_alone(world_of, make_account, clock, deliver):
    """How long the postbacks of a quiet account wait while nobody else has any."""
    ids = postbacks_for(world_of(make_account().id), "quiet", QUIET, clock)
    begin = clock.now
    deliver(Hosts(clock))
    return longest_wait(ids, begin)


def test_forty_hosts_that_answer_late_do_not_delay_a_neighbour(quiet_alone, worlds, clock, deliver):
    hostile, neighbour = worlds
    for number in range(HOSTS):
        postbacks_for(hostile, f"hang{number}", OF_EACH, clock)
    ids = postbacks_for(neighbour, "neighbour", QUIET, clock)
    begin, hosts = clock.now, Hosts(clock)
    deliver(hosts)
    during = longest_wait(ids, begin)
    sys.stdout.write(f"a neighbour waits {quiet_alone:.2f} s before, {during:.2f} s during\n")
    assert hosts.most_slow > 300, "the attack had no weight"
    assert during < quiet_alone + 2


def test_who_comes_while_the_last_answers_are_awaited_does_not_wait_for_them(
    worlds, clock, delivery
):
    """A tracker that answers late would keep all others waiting at the end of each drain."""
    hostile, neighbour = worlds
    postbacks_for(hostile, "hang", 1, clock)
    began, ids = clock.now, []

    def come_late():
        if not ids and clock.now > began + 2:
            ids.extend(postbacks_for(neighbour, "neighbour", QUIET, clock))
            db.session.commit()

    assert delivery(Hosts(clock)).run(seconds=1, lasting=60, pulse=come_late) == 1 + QUIET
    assert longest_wait(ids, began) < SLOW_SECONDS / 2


def test_a_drain_ends_however_many_late_answers_there_are(worlds, clock, delivery):
    hostile, _ = worlds
    began, made = clock.now, []

    def one_more():
        if clock.now >= began + 5 * len(made):
            made.extend(postbacks_for(hostile, "hang", 1, clock))
            db.session.commit()

    delivery(Hosts(clock)).run(seconds=1, lasting=60, pulse=one_more)
    assert 60 < clock.now - began < 60 + 2 * SLOW_SECONDS


def test_of_the_rows_one_account_gets_half_and_two_a_third_each():
    shares = Shares(held=Counter(), capacity=900)
    assert shares.take(1, 900) == 450
    assert shares.full() == [1]
    assert shares.take(2, 900) == 225
    assert shares.take(1, 1) == 0
    assert shares.take(3, 10) == 10
