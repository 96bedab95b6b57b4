"""What the tests of delivery share."""

from __future__ import annotations

from typing import Any

import pytest

from app.extensions import db
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from tests.support.delivery import Clock, Exchange


@pytest.fixture
def clock() -> Clock:
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
