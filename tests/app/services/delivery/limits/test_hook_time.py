"""An account whose hooks take long has half of the thread, and others do not wait for it."""

import time

import pytest

from app.services.delivery.limits.hook_time import (
    BURST_SECONDS,
    MOST_SECONDS,
    SHARE,
    UNKNOWN_SECONDS,
    HookTime,
)
from tests.support.courier import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def used() -> Clock:
    return Clock()


@pytest.fixture
def waits() -> Clock:
    return Clock()


@pytest.fixture
def hooks(clock, used, waits) -> HookTime:
    return HookTime(clock, used, lambda: int(waits.now))


def call(hooks: HookTime, clock: Clock, used: Clock, seconds: float) -> None:
    """One hook of account 1 that works so long, while as much time passes."""
    with hooks.of(1):
        used.now += seconds
        clock.now += seconds


def test_in_the_long_run_an_account_has_its_share(hooks, clock, used):
    begin = used.now
    start = clock.now
    for _ in range(2000):
        if hooks.has_room(1):
            call(hooks, clock, used, 0.05)
        else:
            clock.now += 0.01
    worked, passed = used.now - begin, clock.now - start
    assert SHARE * passed <= worked <= SHARE * passed + 2 * BURST_SECONDS


def test_another_account_does_not_wait(hooks, clock, used):
    while hooks.has_room(1):
        call(hooks, clock, used, 0.5)
    assert hooks.has_room(2)


def test_quick_hooks_never_wait(hooks, clock, used):
    for _ in range(10_000):
        assert hooks.has_room(1)
        call(hooks, clock, used, 0.0001)
        clock.now += 0.0001


def test_what_the_machine_does_meanwhile_is_not_counted(hooks, clock, used):
    for _ in range(100):
        assert hooks.has_room(1)
        with hooks.of(1):
            clock.now += 1.0


def test_a_hook_that_raises_is_counted(hooks, used):
    def fail() -> None:
        with hooks.of(1):
            used.now += 10.0
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not hooks.has_room(1)


def test_a_hook_that_sleeps_is_counted_as_one_that_works(hooks, clock, waits):
    with hooks.of(1):
        clock.now += 2.0
        waits.now += 1
    assert not hooks.has_room(1)


def test_a_real_hook_that_sleeps_is_counted():
    hooks = HookTime()
    while hooks.may_build(1):
        with hooks.of(1):
            time.sleep(0.3)
    assert hooks.exhausted() == [1]


def test_what_was_sent_counts_for_what_its_answer_will_cost(hooks, clock, used):
    call(hooks, clock, used, 0.1)
    sent = 0
    while hooks.has_room(1):
        hooks.send(1)
        sent += 1
    assert 8 <= sent <= BURST_SECONDS / UNKNOWN_SECONDS / 2
    hooks.receive(1)
    assert hooks.has_room(1)
    assert hooks.may_build(1)


def test_an_account_pays_for_a_minute_of_hooks_at_most(hooks, clock, used):
    for _ in range(100):
        call(hooks, clock, used, 2.0)
    assert hooks.exhausted() == [1]
    clock.now += MOST_SECONDS / SHARE - 1
    assert hooks.has_room(1)
    assert hooks.exhausted() == []


def test_nothing_is_claimed_or_built_for_whoever_has_used_up_their_time(hooks, clock, used):
    while hooks.may_build(1):
        call(hooks, clock, used, 0.5)
    assert hooks.exhausted() == [1]
    assert hooks.may_build(2)


def read_for(hooks: HookTime, used: Clock, turns: int, cost: dict[int, float]) -> list[int]:
    """Whose answers were read in so many turns, if all of `cost` always have some."""
    read = []
    for _ in range(turns):
        account = hooks.next_of(cost)
        with hooks.of(account):
            used.now += cost[account]
        read.append(account)
    return read


def test_all_who_have_answers_get_the_same_time_to_read_them(hooks, used):
    read = read_for(hooks, used, 330, {1: 1.0, 2: 0.1, 3: 0.05})
    assert [read.count(account) for account in (1, 2, 3)] == pytest.approx([10, 100, 200], rel=0.2)


def test_who_had_no_answers_for_a_while_gets_no_more_than_others_from_then_on(hooks, used):
    read_for(hooks, used, 100, {1: 1.0})
    read = read_for(hooks, used, 20, {1: 1.0, 2: 1.0})
    assert read.count(1) == read.count(2)
