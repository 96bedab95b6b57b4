import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.backoff import SCHEDULE, block_seconds, next_try

NOW = 1_790_000_000.0
CHANCE = st.floats(0, 1, exclude_max=True)
HINT = st.none() | st.floats(allow_nan=True, allow_infinity=True)


def wait(tries: int, *, chance: float = 0.5, hint: float | None = None) -> float:
    again = next_try(tries, NOW, NOW, chance=chance, hint=hint)
    assert again is not None
    return again - NOW


@pytest.mark.parametrize("tries", range(1, len(SCHEDULE)))
def test_the_wait_is_the_scheduled_one_give_or_take_a_fifth(tries: int) -> None:
    assert wait(tries, chance=0.0) == pytest.approx(SCHEDULE[tries] * 0.8)
    assert wait(tries) == pytest.approx(SCHEDULE[tries])
    assert wait(tries, chance=0.9999) <= SCHEDULE[tries] * 1.2


def test_the_whole_schedule_takes_about_45_hours() -> None:
    assert 44 * 3600 < sum(SCHEDULE) < 46 * 3600


@pytest.mark.parametrize(
    ("tries", "hint", "expected"),
    [
        (1, 120.0, 120.0),
        (1, 1.0, 5.0),
        (1, -5.0, 5.0),
        (1, math.nan, 5.0),
        (1, 90_000.0, 3600.0),
        (5, 90_000.0, 14_400.0),
        (1, math.inf, 3600.0),
    ],
)
def test_a_hint_stretches_the_wait_within_reason(tries: int, hint: float, expected: float) -> None:
    assert wait(tries, hint=hint) == pytest.approx(expected)


def test_a_span_ends_the_tries_before_the_tracker_forgets() -> None:
    assert next_try(7, NOW, NOW, chance=0.5, span=86_400) == NOW + 43_200
    assert next_try(8, NOW, NOW, chance=0.5, span=86_400 - 1) is None


@given(
    st.lists(st.tuples(CHANCE, HINT, st.floats(0, 10)), min_size=20), st.none() | st.floats(0, 1e6)
)
def test_every_postback_ends_after_nine_tries_at_most(
    tries: list[tuple[float, float | None, float]], span: float | None
) -> None:
    now, count = NOW, 0
    for count, (chance, hint, took) in enumerate(tries, 1):
        again = next_try(count, now + took, NOW, chance=chance, hint=hint, span=span)
        if again is None:
            break
        assert again > now + took
        assert span is None or again <= NOW + span
        now = again
    assert again is None
    assert count <= len(SCHEDULE) == 9


@given(st.integers(1, 7), CHANCE, CHANCE)
def test_waits_grow_whatever_chance_says(tries: int, one: float, other: float) -> None:
    assert wait(tries, chance=one) < wait(tries + 1, chance=other)


def test_a_destination_rests_after_ten_failures_and_longer_after_more() -> None:
    rests = [block_seconds(failures) for failures in (0, 9, 10, 11, 12, 14, 15, 10**9)]
    assert rests == [0, 0, 30, 60, 120, 480, 600, 600]
