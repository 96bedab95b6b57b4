"""Calls that last: so many of one account at once, and so many in all."""

import pytest

from app.errors import TooManyRequests
from app.services.accounts import concurrent_calls
from app.services.accounts.call_leases import CallLeases
from app.services.accounts.concurrent_calls import (
    EXPORTS,
    LASTING_ENDPOINTS,
    OUTWARD,
    ConcurrentCalls,
)


def begin_all(calls: ConcurrentCalls, accounts: list[int]) -> list[bool]:
    """Begin a call of each; whether it was let in."""
    answers = []
    for account in accounts:
        try:
            calls.begin(account)
            answers.append(True)
        except TooManyRequests:
            answers.append(False)
    return answers


def test_one_account_has_its_own_and_all_have_theirs_together():
    assert begin_all(ConcurrentCalls(2, 4), [1, 1, 1, 2, 2, 2, 3]) == [
        True, True, False, True, True, False, False
    ]  # fmt: skip


def test_what_has_ended_makes_room_once():
    calls = ConcurrentCalls(1, 9)
    end = calls.begin(1)
    with pytest.raises(TooManyRequests) as refusal:
        calls.begin(1)
    assert refusal.value.extra == {"retry_after": 1}
    end()
    end()
    assert begin_all(calls, [1, 1]) == [True, False]


def test_processes_count_together_and_what_is_refused_leaves_no_trace(clean_redis):
    here, there = (
        ConcurrentCalls(1, 2, CallLeases("tests", lambda: clean_redis)) for _ in range(2)
    )
    end = here.begin(1)
    assert begin_all(there, [1, 1, 2, 3, 4]) == [False, False, True, True, False]
    end()
    assert begin_all(here, [1, 2]) == [True, False]


def test_all_processes_together_let_a_bounded_number_in(clean_redis):
    processes = [
        ConcurrentCalls(1, 1, CallLeases("tests", lambda: clean_redis))
        for _ in range(concurrent_calls.PROCESSES + 2)
    ]
    let_in = [begin_all(process, [number]) for number, process in enumerate(processes)]
    assert let_in == [[True]] * concurrent_calls.PROCESSES + [[False]] * 2


def test_every_limit_holds_over_all_processes():
    limits = {*LASTING_ENDPOINTS.values(), EXPORTS, concurrent_calls.NOTICES}
    assert all(limit._leases for limit in limits)


def test_a_call_that_fails_has_ended():
    calls = ConcurrentCalls(1, 1)
    with pytest.raises(KeyError), calls.running(1):
        raise KeyError
    assert begin_all(calls, [1]) == [True]


def test_readers_that_do_not_read_their_exports_do_not_keep_others_from_theirs(
    client, account, other
):
    def export(key):
        return client.get("/api/leads/export.json", headers={"Authorization": f"Bearer {key}"})

    ends = [EXPORTS.begin(account.id) for _ in range(2)]
    try:
        assert export(account.key).get_json()["error"] == "rate"
        assert export(other.key).mimetype == "text/csv"
    finally:
        for end in ends:
            end()
    for _ in range(5):
        assert export(account.key).mimetype == "text/csv", "one that was read has ended"


def test_an_export_whose_response_is_dropped_unread_has_ended(app, account, other):
    client = app.test_client()
    for _ in range(5):
        answer = client.get(
            "/api/leads/export.json",
            headers={"Authorization": f"Bearer {account.key}"},
            buffered=False,
        )
        assert answer.mimetype == "text/csv"
        del answer


def test_outward_calls_of_one_account_do_not_hold_all_threads(api, account, other):
    ends = [OUTWARD.begin(account.id) for _ in range(4)]
    try:
        assert api.post("bots/add", token="1:x")["error"] == "rate"
        assert api.post("dest/check", tracker="none")["error"] == "rate"
        assert api(other.key).post("dest/check", tracker="none")["error"] == "param"
    finally:
        for end in ends:
            end()
    assert api.post("dest/check", tracker="none")["error"] == "param"


def test_every_endpoint_that_lasts_is_one(app):
    assert set(concurrent_calls.LASTING_ENDPOINTS) <= set(app.view_functions)
