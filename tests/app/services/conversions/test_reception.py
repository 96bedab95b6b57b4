"""How often a sender may call."""

import pytest

from app.errors import TooManyRequests
from app.services.conversions import reception


@pytest.mark.parametrize(
    "limit", [reception.CALLS_OF_KEY, reception.CALLS_OF_ACCOUNT, reception.CALLS_OF_ADDRESS]
)
def test_one_caller_is_stopped_and_the_next_is_not(app, limit, monkeypatch):
    monkeypatch.setattr(limit, "clock", lambda: 1_800_000_000.0)
    for _ in range(limit.burst):
        limit.hit("one")
    with pytest.raises(TooManyRequests):
        limit.hit("one")
    limit.hit("another")
