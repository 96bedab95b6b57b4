import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.tariffs import (
    DAY,
    PERIOD,
    PLANS,
    PlanStatus,
    converted,
    free_slots,
    may_choose,
    paid_until,
    plan_status,
)

NOW = 1_790_000_000


@pytest.mark.parametrize(
    ("tariff", "until", "stands"),
    [
        ("kitten", None, PlanStatus.FREE),
        ("kitten", NOW - 100 * DAY, PlanStatus.FREE),
        ("cat", None, PlanStatus.PAID),
        ("cat", NOW, PlanStatus.PAID),
        ("cat", NOW - 1, PlanStatus.GRACE),
        ("tiger", NOW - 7 * DAY, PlanStatus.GRACE),
        ("tiger", NOW - 7 * DAY - 1, PlanStatus.LAPSED),
    ],
)
def test_a_plan_stands_by_its_end(tariff: str, until: int | None, stands: PlanStatus) -> None:
    assert plan_status(tariff, until, NOW) is stands


@pytest.mark.parametrize(
    ("tariff", "until", "may"),
    [
        ("kitten", None, True),
        ("cat", NOW + 3 * DAY, True),
        ("cat", NOW + 3 * DAY + 1, False),
        ("cat", None, False),
        ("cat", NOW - 1, True),
        ("cat", NOW - 100 * DAY, True),
    ],
)
def test_a_paid_plan_is_changed_in_its_last_three_days(
    tariff: str, until: int | None, may: bool
) -> None:
    assert may_choose(tariff, until, NOW) is may


def test_a_renewal_starts_where_the_plan_ends() -> None:
    assert paid_until("cat", NOW + DAY, NOW, "cat") == NOW + DAY + PERIOD
    assert paid_until("cat", NOW - DAY, NOW, "cat") == NOW + PERIOD
    assert paid_until("kitten", None, NOW, "cat") == NOW + PERIOD


def test_what_is_left_at_a_change_in_the_last_three_days_stays() -> None:
    assert paid_until("cat", NOW + 3 * DAY, NOW, "tiger") == NOW + 3 * DAY + PERIOD


@given(st.integers(0, 4000 * DAY))
def test_days_of_another_plan_keep_their_worth(left: int) -> None:
    dear, cheap = PLANS["tiger"].price_usd, PLANS["cat"].price_usd
    beyond = max(0, left - 3 * DAY)
    assert converted(left, "cat", "cat") == left
    assert abs(converted(left, "cat", "tiger") - (left - beyond) - beyond * cheap / dear) < 1
    back = converted(converted(left, "cat", "tiger"), "tiger", "cat")
    assert left - 4 <= back <= left


@given(
    st.sampled_from(["kitten", "cat", "tiger"]),
    st.none() | st.integers(0, 2 * NOW),
    st.sampled_from(["cat", "tiger"]),
)
def test_whoever_pays_is_paid_for_at_least_a_whole_period(
    tariff: str, until: int | None, bought: str
) -> None:
    end = paid_until(tariff, until, NOW, bought)
    assert end >= NOW + PERIOD
    assert plan_status("cat", end, NOW) is PlanStatus.PAID


def test_slots_never_fall_below_none() -> None:
    assert (free_slots("cat", 3), free_slots("cat", 20), free_slots("tiger", 9)) == (12, 0, -1)
