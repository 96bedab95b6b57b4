"""Calls of one account wait for each other, and no other account waits for them."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import pytest

from app.errors import TooManyRequests
from app.services.accounts.fair_shares import CALLS_IN_ALL, FairShares
from app.web.request_slots import slot_released


class Held:
    """A call that lasts until it is told to end."""

    def __init__(self, shares: FairShares, account: int) -> None:
        self.works, self._end = threading.Event(), threading.Event()
        self._shares, self._account = shares, account
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self._shares.share(self._account):
            self.works.set()
            assert self._end.wait(60)

    def end(self) -> None:
        self._end.set()

    def join(self) -> None:
        self._thread.join(60)


@pytest.fixture
def hold() -> Iterator[Callable[[FairShares, int], Held]]:
    """`hold(shares, account)`: a call that is there until the test is over."""
    all_held: list[Held] = []

    def start(shares: FairShares, account: int) -> Held:
        all_held.append(Held(shares, account))
        return all_held[-1]

    yield start
    for held in all_held:
        held.end()
    for held in all_held:
        held.join()


def wait_for(shares: FairShares, account: int, count: int) -> None:
    while account not in shares._calls or shares._calls[account].count < count:
        threading.Event().wait(0.001)


def test_one_more_than_work_waits_until_one_has_ended(hold):
    shares = FairShares(working=1, calls=3)
    first = hold(shares, 1)
    assert first.works.wait(60)
    second = hold(shares, 1)
    wait_for(shares, 1, 2)
    assert not second.works.is_set()
    first.end()
    assert second.works.wait(60)


def test_another_account_does_not_wait(hold):
    shares = FairShares(working=1, calls=3)
    assert hold(shares, 1).works.wait(60)
    hold(shares, 1)
    wait_for(shares, 1, 2)
    assert hold(shares, 2).works.wait(60)


def test_beyond_what_may_be_there_a_call_is_refused(hold):
    shares = FairShares(working=1, calls=2)
    hold(shares, 1)
    hold(shares, 1)
    wait_for(shares, 1, 2)
    with pytest.raises(TooManyRequests), shares.share(1):
        raise AssertionError("it was let in")
    with shares.share(2):
        pass


def test_one_that_has_waited_long_is_refused(hold):
    shares = FairShares(working=1, calls=2, seconds=0.01)
    assert hold(shares, 1).works.wait(60)
    with pytest.raises(TooManyRequests) as refusal, shares.share(1):
        raise AssertionError("it was let in")
    assert refusal.value.extra == {"retry_after": 1}


def test_an_account_without_calls_is_forgotten():
    shares = FairShares(working=1, calls=2)
    for _ in range(5):
        with pytest.raises(KeyError), shares.share(1):
            raise KeyError
    assert shares._calls == {}


def test_a_call_that_waits_for_another_server_does_not_work(hold):
    shares = FairShares(working=1, calls=3)
    with shares.share(1):
        with slot_released():
            second = hold(shares, 1)
            assert second.works.wait(60)
            second.end()
            second.join()
        third = hold(shares, 1)
        wait_for(shares, 1, 2)
        assert not third.works.is_set(), "the share was taken back"
    assert third.works.wait(60)


def test_however_many_accounts_have_all_they_may_a_newcomer_finds_a_place():
    shares = FairShares(working=2, calls=64)
    for account in range(20):
        with contextlib.suppress(TooManyRequests):
            while True:
                shares._enter(account)
    counts = [calls.count for calls in shares._calls.values()]
    assert counts[0] == 64
    assert counts[9] > 10
    assert sum(counts) < CALLS_IN_ALL
    newcomer = shares._enter(99)
    shares._leave(99, newcomer)


def test_places_come_back():
    shares = FairShares(working=1, calls=9, in_all=10)
    for _ in range(100):
        with shares.share(1):
            pass
    assert shares._enter(1).count == 1
