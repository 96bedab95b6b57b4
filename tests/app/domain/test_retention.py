"""Survival is told only of milestones that every member of a cohort has passed."""

from app.domain.retention import Cohort, percent, survival

DAY = 86_400


def test_who_left_by_a_milestone_did_not_survive_it() -> None:
    cohort = Cohort(day=10, joined=10, left={0: 1, 1: 2, 5: 3})
    late = 100 * DAY
    assert [cohort.staying(milestone, late) for milestone in (0, 1, 3, 7)] == [9, 7, 7, 4]


def test_a_milestone_is_known_when_the_last_who_joined_has_passed_it() -> None:
    cohort = Cohort(day=10, joined=4, left={})
    known = (10 + 1 + 1 + 1) * DAY  # joined at the end of day 10, two whole days ago
    assert cohort.staying(1, known) == 4
    assert cohort.staying(1, known - 1) is None


def test_more_leavers_than_joiners_leave_nobody() -> None:
    assert Cohort(day=0, joined=1, left={0: 3}).staying(0, 100 * DAY) == 0


def test_survival_of_several_cohorts_counts_only_those_that_are_known() -> None:
    old, new = Cohort(0, 3, {0: 1}), Cohort(50, 100, {0: 100})
    assert survival([old, new], 0, 50 * DAY) == 66.67
    assert survival([old, new], 0, 100 * DAY) == percent(2, 103)
    assert survival([new], 0, 50 * DAY) is None
    assert survival([], 0, 50 * DAY) is None


def test_percent_has_two_decimals_and_none_of_nothing() -> None:
    assert percent(1, 3) == 33.33
    assert percent(0, 5) == 0
    assert percent(0, 0) is None
