"""A campaign whose counters a test sets."""

from collections.abc import Callable
from typing import Any

import pytest

from app.domain.lead import CounterDelta, Counts
from app.extensions import db
from app.services.leads import counters


@pytest.fixture
def campaign(world: Any) -> int:
    return int(world.campaign())


@pytest.fixture
def count(campaign: int) -> Callable[..., None]:
    """`count(at, starts=1)` adds to the counters of `campaign`."""

    def count_(at: int, joined: int | None = None, **numbers: int) -> None:
        delta = CounterDelta(at, Counts(**numbers), joined)
        counters.BatchCounts([(campaign, delta)]).save(db.session.connection())
        db.session.commit()

    return count_
