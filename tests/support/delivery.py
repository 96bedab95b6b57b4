"""What tests of delivery share: a clock, and a transport that needs no network."""

from collections import deque
from typing import Any

import pytest
from sqlalchemy import select

from app.domain import events
from app.extensions import db
from app.models import Attempt
from app.outbound.result import Answer, Failure
from app.services import postbacks
from app.services.delivery.attempt import DeliveryAttempt
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver, ResolvedDestination
from app.services.postbacks import ClaimedPostback
from plugins.contract import DeliveryPolicy, Request, Response
from plugins.testing import sample_event

T = 1_800_000_000
OK = Response(200, {}, b"ok")


class Exchange:
    """A transport that answers every request with `answer`, and keeps the requests.

    `answer` is a Response, a Failure, or a function of the request that returns one.
    """

    def __init__(self, answer: Any = OK) -> None:
        self.answer = answer
        self.on_resolved: Any = lambda _tag, _is_new: None
        self.sent: list[Request] = []
        self._ready: deque[Answer] = deque()
        self.most_in_flight = 0

    def start(self, request: Request, tag: object) -> None:
        self.sent.append(request)
        self.on_resolved(tag, True)
        answer = self.answer(request) if callable(self.answer) else self.answer
        response = answer if isinstance(answer, Response) else None
        failure = None if response else Failure(answer)
        self._ready.append(Answer(tag, response, failure, str(failure or ""), 1, 0.0))
        self.most_in_flight = max(self.most_in_flight, len(self._ready))

    def advance(self) -> None:
        pass

    def poll(self, _seconds: float) -> list[Answer]:
        ready, self._ready = list(self._ready), deque()
        return ready

    def rest(self, seconds: float) -> None:
        pass

    def abort(self) -> list[object]:
        return [self._ready.popleft().tag for _ in range(len(self._ready))]

    def statuses(self) -> list[str]:
        return [request.url.partition("status=")[2].partition("&")[0] for request in self.sent]


class Clock:
    """Time that passes by half a millisecond at each look; begins in the future."""

    def __init__(self) -> None:
        self.now = float(T + 10_000_000)

    def __call__(self) -> float:
        self.now += 0.0005
        return self.now


def alter(model: Any, **values: Any) -> None:
    """Set columns of all rows of a table."""
    db.session.execute(model.__table__.update().values(**values))
    db.session.commit()


def attempts() -> list[Attempt]:
    """All attempts, oldest first."""
    rows = list(db.session.scalars(select(Attempt).order_by(Attempt.id)))
    db.session.expunge_all()
    db.session.commit()
    return rows


def claim_all(clock: Clock, *, lease: str = "lease", seconds: float = 45) -> list[ClaimedPostback]:
    """Claim whatever is due."""
    result = postbacks.claim(
        db.session.connection(), now=clock.now, lease=lease, until=clock.now + seconds,
        after=0, quota_for=lambda _, most: min(1000, most), most=1000,
    )  # fmt: skip
    db.session.commit()
    return result.postbacks


def make_claimed(number: int, *, destination: int = 1, account: int = 1) -> ClaimedPostback:
    """A postback claimed for its first try."""
    return ClaimedPostback(
        id=number,
        destination_id=destination,
        event=events.serialize(sample_event()),
        occurrence=0,
        tries=0,
        steps=0,
        first_try=None,
        adapter_state="",
        tracker="t",
        settings="{}",
        failures=0,
        account_id=account,
    )


def make_attempt(
    number: int, *, destination: int = 1, started: float = 0.0, url: str = "https://t.example/pb"
) -> DeliveryAttempt:
    """An attempt with one request, at a destination whose adapter is never asked."""
    adapter: Any = None
    return DeliveryAttempt(
        adapter=adapter,
        settings={},
        event=sample_event(),
        requests=(Request("GET", url),),
        claimed=make_claimed(number, destination=destination),
        destination=ResolvedDestination(adapter, {}, DeliveryPolicy()),
        started=started,
    )


@pytest.fixture
def clock() -> Clock:
    """The time at which `deliver` runs."""
    return Clock()


@pytest.fixture
def deliver(live_app: Any, clock: Clock) -> Any:
    """`deliver(exchange)`: drain what is due at `clock`; how many were settled."""

    def run(exchange: Exchange, **options: Any) -> int:
        delivery = Delivery(
            exchange,
            DestinationResolver(live_app.extensions["trackers"]),
            lease_seconds=45,
            clock=clock,
            rng=lambda: 0.5,
        )
        count = delivery.run(seconds=60, **options)
        db.session.commit()
        return count

    return run
