"""A burst passes and then the rate, however many processes count and whatever Redis does."""

import threading
from itertools import pairwise

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from app import token_buckets
from app.token_buckets import AWAY_SECONDS, Rate, TokenBuckets, tokens

NOON = 1_780_000_000.0
EACH_SECOND = Rate(per_minute=60, burst=5)


def _away() -> redis.Redis:
    raise redis.ConnectionError("nobody is there")


def _taken(buckets: TokenBuckets, now: float, rate: Rate = EACH_SECOND, name: str = "1") -> int:
    """How many tokens there are, by taking them."""
    for count in range(10_000):
        if buckets.take(name, rate, now):
            return count
    raise AssertionError("there is no limit")


@pytest.fixture(params=["shared", "local"])
def buckets(request, clean_redis):
    """Buckets in Redis, or of this process alone."""
    shared = (lambda: clean_redis) if request.param == "shared" else _away
    return TokenBuckets("gatepost:test", shared)


def test_a_burst_passes_and_then_one_each_interval(buckets):
    assert _taken(buckets, NOON) == 5
    assert _taken(buckets, NOON + 1) == 1
    assert _taken(buckets, NOON + 3600) == 5


def test_whoever_waits_as_long_as_told_gets_a_token(buckets):
    _taken(buckets, NOON)
    wait = buckets.take("1", EACH_SECOND, NOON)
    assert wait == pytest.approx(1, abs=1e-5)
    assert buckets.take("1", EACH_SECOND, NOON + wait) == 0


def test_buckets_are_counted_apart(buckets):
    assert _taken(buckets, NOON, name="1") == 5
    assert _taken(buckets, NOON, name="2") == 5


def test_a_clock_that_is_set_back_waits_for_one_interval_only(buckets):
    _taken(buckets, NOON)
    assert buckets.take("1", EACH_SECOND, NOON - 86_400) == pytest.approx(1, abs=1e-5)


def test_processes_share_one_burst(clean_redis):
    counts: list[int] = []

    def take() -> None:
        counts.append(_taken(TokenBuckets("gatepost:test", lambda: clean_redis), NOON))

    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 5


def test_a_redis_that_was_emptied_gives_no_second_burst(clean_redis):
    buckets = TokenBuckets("gatepost:test", lambda: clean_redis)
    assert _taken(buckets, NOON) == 5
    clean_redis.flushall()
    assert _taken(buckets, NOON + 1) == 1


def test_a_redis_that_has_forgotten_the_script_learns_it_again(clean_redis):
    buckets = TokenBuckets("gatepost:test", lambda: clean_redis)
    assert buckets.take("1", EACH_SECOND, NOON) == 0
    clean_redis.script_flush()
    assert buckets.take("1", EACH_SECOND, NOON) == 0
    assert clean_redis.exists("gatepost:test:1")


def test_after_a_fault_redis_is_left_alone_for_a_while():
    asked: list[float] = []
    now = NOON

    def shared() -> redis.Redis:
        asked.append(now)
        return _away()

    buckets = TokenBuckets("gatepost:test", shared)
    for second in range(12):
        now = NOON + second
        buckets.take("1", EACH_SECOND, now)
    assert asked == [NOON, NOON + AWAY_SECONDS, NOON + 2 * AWAY_SECONDS]


def test_redis_keeps_a_bucket_little_longer_than_it_takes_to_fill(clean_redis):
    TokenBuckets("gatepost:test", lambda: clean_redis).take("1", EACH_SECOND, NOON)
    assert 0 < clean_redis.pttl("gatepost:test:1") <= 2000


def test_one_process_remembers_a_bounded_number_of_buckets(monkeypatch):
    monkeypatch.setattr(token_buckets, "REMEMBERED", 3)
    buckets, once = TokenBuckets("gatepost:test", _away), Rate(per_minute=60, burst=1)
    for name in "abcdef":
        assert buckets.take(name, once, NOON) == 0
    assert [bool(buckets.full_at(name)) for name in "abcdef"] == [True] * 3 + [False] * 3
    assert buckets.take("g", once, NOON + 60) == 0
    assert [name for name in "abcdefg" if buckets.full_at(name)] == ["g"]


def test_what_this_process_knows_can_be_forgotten():
    buckets = TokenBuckets("gatepost:test", _away)
    _taken(buckets, NOON)
    buckets.forget()
    assert _taken(buckets, NOON) == 5


@given(st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_no_stretch_of_time_sees_more_than_its_share(pauses):
    buckets, rate, now = TokenBuckets("gatepost:test", _away), Rate(per_minute=60, burst=3), NOON
    times = []
    for pause in pauses:
        now += pause
        if buckets.take("1", rate, now) == 0:
            times.append(now)
    assert all(first <= second for first, second in pairwise(times))
    for index, start in enumerate(times):
        for more, end in enumerate(times[index:], 1):
            assert more <= 3 + (end - start) + 1e-3


@given(st.floats(0, 100), st.integers(1, 1000))
def test_a_bucket_holds_between_none_and_its_burst(missing, burst):
    rate = Rate(per_minute=600, burst=burst)
    assert 0 <= tokens(NOON + missing, rate, NOON) <= burst


def test_some_tokens_may_be_kept_for_others(buckets):
    for _ in range(2):
        assert not buckets.take("1", EACH_SECOND, NOON, keep=3)
    wait = buckets.take("1", EACH_SECOND, NOON, keep=3)
    assert wait == pytest.approx(1, abs=1e-5)
    assert not buckets.take("1", EACH_SECOND, NOON, count=3)
    assert not buckets.take("1", EACH_SECOND, NOON + 4, keep=3)


def test_what_is_kept_is_kept_from_other_processes_too(clean_redis):
    one, other = (TokenBuckets("gatepost:test", lambda: clean_redis) for _ in range(2))
    assert not one.take("1", EACH_SECOND, NOON, count=2)
    assert other.take("1", EACH_SECOND, NOON, keep=3) == pytest.approx(1, abs=1e-5)
