"""Counting callers, with Redis and without."""

from __future__ import annotations

import pytest

from app.errors import TooManyRequests
from app.extensions import doorbell
from app.services.rates import Rate


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture(params=["redis", "no redis"])
def rate(request, app, redis_server):
    if request.param == "no redis":
        doorbell.open("redis://127.0.0.1:1")
    yield Rate("test", most=3, seconds=60, clock=Clock())
    doorbell.open(redis_server.url)


def test_each_caller_has_a_number_of_calls_in_each_window(rate):
    for _ in range(3):
        rate.take("a")
    with pytest.raises(TooManyRequests) as told:
        rate.take("a")
    assert 1 <= told.value.extra["retry_after"] <= 60
    rate.take("b")
    rate.clock.now += told.value.extra["retry_after"]
    rate.take("a")


def test_all_processes_count_together(app, clean_redis):
    one, other = (Rate("shared", most=3, seconds=60, clock=Clock()) for _ in range(2))
    one.take("a"), one.take("a"), other.take("a")
    for rate in (one, other):
        with pytest.raises(TooManyRequests):
            rate.take("a")


def test_what_is_counted_is_forgotten(app, clean_redis):
    Rate("short", most=3, seconds=60, clock=Clock()).take("a")
    (key,) = clean_redis.keys("gatepost:rate:short:*")
    assert 0 < clean_redis.ttl(key) <= 61
