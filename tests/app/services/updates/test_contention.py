"""One 409 means little; many over some time mean another program, until they stop."""

import pytest

from app.services.updates.contention import CONFLICT_SECONDS, QUIET_SECONDS, Contention


@pytest.fixture
def contention() -> Contention:
    return Contention(0.0)


def test_a_conflict_that_passes_is_none(contention):
    assert not contention.on_conflict(100.0)
    assert not contention.on_conflict(100.0 + CONFLICT_SECONDS - 1)
    assert not contention.on_conflict(100.0 + CONFLICT_SECONDS - 1 + QUIET_SECONDS)
    assert not contention.is_contested


def test_conflicts_that_go_on_are_reported_once_also_with_polls_that_work_between(contention):
    now, reports = 100.0, []
    while now < 400.0:
        reports.append(contention.on_conflict(now))
        assert not contention.on_success(now + 1)
        now += 5.0
    assert reports.count(True) == 1
    assert reports.index(True) == CONFLICT_SECONDS / 5.0


def test_it_is_over_when_polls_have_worked_for_a_while(contention):
    for now in range(100, 200, 5):
        contention.on_conflict(float(now))
    assert contention.is_contested
    assert not contention.on_success(195.0 + QUIET_SECONDS - 1)
    assert contention.on_success(195.0 + QUIET_SECONDS)
    assert not contention.on_success(999.0)
    assert not contention.on_conflict(1000.0), "it begins anew"
    assert contention.on_conflict(1000.0 + CONFLICT_SECONDS)


def test_what_an_earlier_poller_recorded_is_taken_back_once(contention):
    assert not contention.on_success(QUIET_SECONDS - 1)
    assert contention.on_success(QUIET_SECONDS)
    assert not contention.on_success(QUIET_SECONDS + 1)
