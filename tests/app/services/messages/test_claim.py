"""The pace of a bot, as arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.services.messages.claim import BURST, STEP, allowance

PER_SECOND = 30


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 50)), max_size=60))
def test_no_second_ever_holds_more_than_thirty(visits: list[tuple[float, int]]) -> None:
    now, next_send = 1_700_000_000.0, 0.0
    sent: list[float] = []
    for pause, wanted in visits:
        now += pause
        count = min(wanted, allowance(next_send, now))
        next_send = max(next_send, now) + STEP * count
        sent += [now] * count
    for start in sent:
        assert sum(start <= moment < start + 1 for moment in sent) <= PER_SECOND


def test_a_silent_bot_may_say_a_few_things_at_once() -> None:
    assert allowance(0.0, 1000.0) == BURST


def test_a_bot_that_is_ahead_of_its_pace_waits() -> None:
    assert allowance(1000.0 + BURST * STEP, 1000.0) == 0
