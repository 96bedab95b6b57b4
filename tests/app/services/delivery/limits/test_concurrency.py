"""Limits of requests in flight, and rows claimed ahead of them."""

import pytest

from app.domain.backoff import BREAKER_FAILURES
from app.services.delivery.limits.concurrency import (
    IN_ALL,
    MAX_PREFETCH,
    MOST_PER_DESTINATION,
    PER_DESTINATION,
    PER_HOST,
    ConcurrencyLimiter,
)
from app.services.postbacks import DueDestination

HOST = "https://t.example"


def due(number: int = 1, *, failures: int = 0, sending: int = 0) -> DueDestination:
    return DueDestination(
        id=number, account_id=1, failures=failures, sending=sending, tracker="t", settings="{}"
    )


@pytest.fixture
def limiter() -> ConcurrencyLimiter:
    return ConcurrencyLimiter()


def fill(limiter: ConcurrencyLimiter, destination: int, host: str, account: int = 1) -> int:
    """Start requests until there is no room; how many started."""
    count = 0
    while limiter.has_room(destination, host, account):
        limiter.acquire(destination, host, account)
        count += 1
    return count


def test_a_destination_has_its_own_slots_and_leaves_those_of_others(limiter):
    assert fill(limiter, 1, HOST) == PER_DESTINATION
    assert fill(limiter, 2, HOST) == PER_DESTINATION


def test_an_account_leaves_some_of_a_hosts_slots_to_others_however_many_destinations_it_has(
    limiter,
):
    assert sum(fill(limiter, number, HOST, 1) for number in range(100)) == PER_HOST * 7 // 8
    assert fill(limiter, 200, HOST, 2) > 0
    for number in range(100):
        while limiter._destinations[number]:
            limiter.release(number, HOST, 1)
    assert set(limiter._at_hosts) == {(2, HOST)}


def test_all_destinations_of_a_host_share_its_slots(limiter):
    assert sum(fill(limiter, number, HOST, number) for number in range(20)) == PER_HOST
    assert fill(limiter, 99, "https://other.example") == PER_DESTINATION


def test_a_destination_that_answers_well_may_have_more_in_flight(limiter):
    for _ in range(MOST_PER_DESTINATION):
        limiter.record_result(1, succeeded=True)
    assert fill(limiter, 1, HOST) == MOST_PER_DESTINATION
    assert fill(limiter, 2, HOST) > 0  # and leaves some of its host's
    limiter.record_result(1, succeeded=False)
    limiter.release(1, HOST, 1)
    assert not limiter.has_room(1, HOST, 1)


def test_whoever_comes_next_gets_the_slots_of_a_host_that_become_free(limiter):
    for destination in range(5):
        for _ in range(MOST_PER_DESTINATION):
            limiter.record_result(destination, succeeded=True)
    for destination in range(5):
        fill(limiter, destination, HOST, account=destination)
    limiter.release(0, HOST, 0)
    assert not limiter.has_room(0, HOST, 0)  # who has most waits until others have had theirs
    assert fill(limiter, 99, HOST, account=99) == 1


def test_all_requests_of_a_worker_are_bounded(limiter):
    for number in range(2000):
        fill(limiter, number, f"https://{number}.example", account=number)
    assert limiter.in_flight == IN_ALL


def test_whoever_comes_next_finds_slots_however_much_others_want(limiter):
    def greedy(account: int) -> int:
        hosts = (f"https://{number}.example" for number in range(100))
        return sum(
            fill(limiter, 1000 * account + number, host, account)
            for number, host in enumerate(hosts)
        )

    assert greedy(1) == 384
    assert greedy(2) == 96
    assert limiter.has_room(9, "https://quiet.example", 3)
    assert fill(limiter, 9, "https://quiet.example", 3) == PER_DESTINATION


def test_an_answer_frees_a_slot_of_destination_host_and_worker(limiter):
    taken = fill(limiter, 0, HOST)
    limiter.release(0, HOST, 1)
    assert limiter.in_flight == taken - 1
    assert fill(limiter, 0, HOST) == 1
    others = sum(fill(limiter, number, HOST, account=number) for number in range(2, 99))
    assert taken + others == PER_HOST
    limiter.release(0, HOST, 1)
    assert fill(limiter, 99, HOST, account=99) == 1


def test_each_success_lets_one_row_more_be_claimed_up_to_a_limit(limiter):
    assert limiter.claimable(due()) == PER_DESTINATION
    limiter.record_result(1, succeeded=True)
    assert limiter.claimable(due()) == PER_DESTINATION + 1
    for _ in range(MAX_PREFETCH):
        limiter.record_result(1, succeeded=True)
    assert limiter.claimable(due()) == MAX_PREFETCH
    assert limiter.claimable(due(2)) == PER_DESTINATION


def test_a_failure_begins_anew(limiter):
    for _ in range(50):
        limiter.record_result(1, succeeded=True)
    limiter.record_result(1, succeeded=False)
    assert limiter.claimable(due()) == PER_DESTINATION


def test_rows_under_a_lease_count(limiter):
    assert limiter.claimable(due(sending=PER_DESTINATION - 3)) == 3
    assert limiter.claimable(due(sending=PER_DESTINATION + 3)) == -3


def test_behind_an_open_breaker_one_row_at_a_time_is_claimed(limiter):
    for _ in range(50):
        limiter.record_result(1, succeeded=True)
    assert limiter.claimable(due(failures=BREAKER_FAILURES)) == 1
    assert limiter.claimable(due(failures=BREAKER_FAILURES, sending=1)) == 0
    assert limiter.claimable(due(failures=BREAKER_FAILURES - 1)) > 1
