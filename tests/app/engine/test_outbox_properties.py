"""Whatever trackers and workers do, every postback ends, in order, under one key."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.extensions import db
from app.models import Attempt, Destination, Postback, PostbackState
from app.outbound.transport import Failure
from app.services import outbox
from app.services.delivery import Delivery
from app.services.outbox import Owed
from app.services.ways import Ways
from plugins.contract import Response

from .test_delivery import Clock, Exchange

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
        owed = Owed(
            self.stage.account, self.stage.campaign, lead, self.stage.destination,
            self.sequence[lead], "wait", json.dumps(event),
        )  # fmt: skip
        outbox.stage(db.session.connection(), [owed], self.clock())
        db.session.commit()

    def deliver(self, answers: list[Any]) -> None:
        told = iter(answers)

        def answer(request: Any) -> Any:
            said = next(told, answers[-1])
            if isinstance(said, Response) and said.status == 200:
                lead, sequence = request.url.partition("click=")[2].partition("&")[0].split("-")
                self.log.append((int(lead), int(sequence)))
            return said

        ways = Ways(self.app.extensions["trackers"])
        Delivery(Exchange(answer), ways, lease_seconds=45, clock=self.clock, dice=lambda: 0.3).run(
            seconds=30
        )
        db.session.commit()

    def die(self, rows: int) -> None:
        """A worker claims and is killed before it sends or settles."""
        outbox.claim(
            db.session.connection(), now=self.clock(), lease="dead", until=self.clock() + 45,
            after=0, room_for=lambda _: rows, most=rows,
        )  # fmt: skip
        db.session.commit()

    def wait(self, seconds: int) -> None:
        self.clock.now += seconds
        outbox.sweep(db.session.connection(), self.clock())
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
