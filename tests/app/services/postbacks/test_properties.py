"""Whatever trackers and workers do, every postback ends, in order, under one key."""

import contextlib
import json
from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.extensions import db
from app.models import Attempt, Destination, Postback, PostbackState
from app.outbound.transport import Failure
from app.services import postbacks
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from app.services.postbacks import NewPostback
from plugins.contract import (
    DeliveryPolicy,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    outcome_by_status,
)
from plugins.registry import Registry, make_adapter
from tests.support.adapters import PlainPlugin
from tests.support.delivery import Clock, Exchange

LEADS = 3
ANSWERS = [Response(200), Response(500), Response(404), Response(429, {"retry-after": "99999"})]
ANSWERS += [Failure.TIMEOUT, Failure.UNREACHABLE]

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("report"), st.integers(0, LEADS - 1)),
        st.tuples(st.just("deliver"), st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4)),
        st.tuples(st.just("die"), st.integers(1, 5)),
        st.tuples(st.just("wait"), st.sampled_from([1, 60, 3600, 90_000])),
    ),
    max_size=25,
)


class World:
    """The outbox, a tracker that keeps a log, and a clock."""

    def __init__(self, app: Any, stage: Any) -> None:
        self.app, self.stage, self.clock = app, stage, Clock()
        self.sequence: dict[int, int] = defaultdict(int)
        self.log: list[tuple[int, int]] = []  # (lead, sequence), as the tracker took it

    def report(self, lead: int) -> None:
        self.sequence[lead] += 1
        event = {
            "id": f"{lead}-{self.sequence[lead]}", "kind": "wait", "time": 1, "lead": lead,
            "account": 1, "campaign": "c", "chat": 1, "subscriber": 1,
            "click": f"{lead}-{self.sequence[lead]}",
        }  # fmt: skip
        owed = NewPostback(
            self.stage.account, self.stage.campaign, lead, self.stage.destination,
            self.sequence[lead], "wait", json.dumps(event),
        )  # fmt: skip
        postbacks.stage(db.session.connection(), [owed], self.clock())
        db.session.commit()

    def deliver(self, answers: list[Any]) -> None:
        told = iter(answers)

        def answer(request: Any) -> Any:
            said = next(told, answers[-1])
            if isinstance(said, Response) and said.status == 200:
                lead, sequence = request.url.partition("click=")[2].partition("&")[0].split("-")
                self.log.append((int(lead), int(sequence)))
            return said

        resolver = DestinationResolver(self.app.extensions["trackers"])
        Delivery(
            Exchange(answer), resolver, lease_seconds=45, clock=self.clock, rng=lambda: 0.3
        ).run(seconds=30)
        db.session.commit()

    def die(self, rows: int) -> None:
        """A worker claims and is killed before it sends or settles."""
        postbacks.claim(
            db.session.connection(), now=self.clock(), lease="dead", until=self.clock() + 45,
            after=0, quota_for=lambda _, most: min(rows, most), most=rows,
        )  # fmt: skip
        db.session.commit()

    def wait(self, seconds: int) -> None:
        self.clock.now += seconds
        postbacks.sweep(db.session.connection(), self.clock())
        db.session.commit()

    def heal(self) -> None:
        """Everyone is well again: whatever can still be delivered is."""
        for _ in range(12):
            self.wait(200_000)
            self.deliver([Response(200)])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_every_postback_ends_and_each_leads_statuses_arrive_in_order(live_app, stage, actions):
    for model in (Attempt, Postback):
        db.session.execute(model.__table__.delete())
    db.session.execute(
        Destination.__table__.update().values(status=0, failures=0, blocked_until=0.0)
    )
    db.session.commit()
    world = World(live_app, stage)
    for name, argument in actions:
        getattr(world, name)(argument)
    world.heal()
    _check(world)


def _check(world: World) -> None:
    rows = world.stage.postbacks()
    tries = defaultdict(list)
    for attempt in db.session.query(Attempt):
        tries[attempt.postback_id].append(attempt)
    for row in rows:
        assert PostbackState(row.state).is_final
        assert row.lease is None
        assert row.tries == len(tries[row.id]) <= 9
        assert len({one.key for one in tries[row.id]}) <= 1
        taken = world.log.count((row.lead_id, row.sequence))
        assert taken == (row.state == PostbackState.DELIVERED)
    for lead in range(LEADS):
        arrived = [sequence for who, sequence in world.log if who == lead]
        assert arrived == sorted(arrived)
    db.session.commit()


# -- a vendor that forgets keys after a day ----------------------------------

DAY = 86_400.0
#: What a try may come to, and whether the vendor then has the event.
FATES = st.sampled_from(
    [
        (True, Response(200)),
        (True, Failure.TIMEOUT),
        (False, Failure.TIMEOUT),
        (True, Response(500)),
        (False, Response(503, {"retry-after": "3600"})),
        (False, Response(429)),
        (False, Response(401)),
        (False, Failure.UNREACHABLE),
    ]
)
LIVES = st.lists(
    st.one_of(
        st.tuples(st.just("report"), st.integers(0, LEADS - 1)),
        st.tuples(st.just("meet"), st.lists(FATES, min_size=1, max_size=4)),
        st.tuples(st.just("die_sending"), st.booleans()),
        st.tuples(st.just("sleep"), st.sampled_from([1, 60, 3600, 50_000, 90_000, 300_000])),
    ),
    max_size=25,
)


class Forgetful(PlainPlugin):
    """An adapter whose vendor knows a key for a day; a refused key parks."""

    @hookimpl
    def build_request(self, event):
        return Request("GET", f"https://127.0.0.2/{event.id}")

    @hookimpl
    def classify_response(self, response):
        if response.status == 401:
            return Outcome(Verdict.RETRY, "refused", disable_destination=True)
        return outcome_by_status(response)

    @hookimpl
    def delivery_policy(self):
        return DeliveryPolicy(retry_window=DAY - 3600)


class Killed(Exception):
    """SIGKILL, as far as the database can tell."""


class Vendor(World):
    """It counts an event again when its key comes a day after it was first taken."""

    def __init__(self, app: Any, stage: Any) -> None:
        super().__init__(app, stage)
        self.known: dict[str, float] = {}
        self.counted: dict[str, int] = defaultdict(int)
        self.registry = Registry({"forgetful": make_adapter("forgetful", Forgetful())})

    def take(self, key: str) -> None:
        if self.clock.now - self.known.get(key, -DAY) >= DAY:
            self.counted[key] += 1
            self.known[key] = self.clock.now

    def meet(self, fates: list[Any]) -> None:
        told = iter(fates)

        def answer(request: Any) -> Any:
            arrives, said = next(told, fates[-1])
            if arrives:
                self.take(request.idempotency_key)
            return said

        self._drain(answer)

    def die_sending(self, arrives: bool) -> None:
        """A worker claims and sends, and is killed before it settles."""

        def answer(request: Any) -> Any:
            if arrives:
                self.take(request.idempotency_key)
            raise Killed

        with contextlib.suppress(Killed):
            self._drain(answer)

    def _drain(self, answer: Any) -> None:
        resolver = DestinationResolver(self.registry)
        Delivery(
            Exchange(answer), resolver, lease_seconds=45, clock=self.clock, rng=lambda: 0.3
        ).run(seconds=30)
        db.session.commit()

    def sleep(self, seconds: int) -> None:
        """Time passes; the owner mends the key and resumes."""
        self.wait(seconds)
        db.session.execute(Destination.__table__.update().values(status=0, blocked_until=0.0))
        db.session.commit()

    def end(self) -> None:
        for _ in range(12):
            self.sleep(200_000)
            self.meet([(True, Response(200))])


LONG_PARKED = [
    ("report", 0), ("sleep", 300_000), ("sleep", 300_000), ("meet", [(False, Response(401))]),
]  # fmt: skip


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=LIVES)
@example(actions=LONG_PARKED)
def test_no_event_is_counted_twice_and_none_that_was_refused_is_lost(live_app, stage, actions):
    for model in (Attempt, Postback):
        db.session.execute(model.__table__.delete())
    db.session.execute(
        Destination.__table__.update().values(
            tracker="forgetful", every_event=True, status=0, failures=0, blocked_until=0.0
        )
    )
    db.session.commit()
    vendor = Vendor(live_app, stage)
    for name, argument in actions:
        getattr(vendor, name)(argument)
    vendor.end()
    rows = stage.postbacks()
    assert all(count == 1 for count in vendor.counted.values()), actions
    # An owner who mends nothing for a week gives what waits up.
    given_up = {row for row in rows if row.state == PostbackState.DISCARDED}
    assert all(row.settled - row.created > 7 * DAY for row in given_up)
    ends = {row.state for row in rows if row not in given_up}
    assert ends <= {PostbackState.DELIVERED, PostbackState.FAILED}
    assert len(vendor.counted) >= sum(row.state == PostbackState.DELIVERED for row in rows)
