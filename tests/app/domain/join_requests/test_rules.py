"""The first rule that fits decides; delays, questions and quiet hours."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.join_requests.facts import Facts
from app.domain.join_requests.rules import (
    BY_NOBODY,
    Rule,
    RuleDecision,
    Verdict,
    after_quiet,
    decide,
    first_fit,
    let_all_in,
    minute_and_weekday,
)

PREMIUM = Facts(7, 1, premium=True)
PLAIN = Facts(8, 1)
RIGA = ZoneInfo("Europe/Riga")
MONDAY = 1_790_553_600  # 2026-09-28 00:00:00 UTC, 03:00 in Riga


def rule(number, action=Verdict.APPROVE, **fields):
    conditions = fields.pop("conditions", {})
    return Rule(number, conditions, action, **fields)


def test_the_first_that_fits_decides():
    rules = [rule(1, Verdict.DECLINE, conditions={"premium": False}), rule(2), rule(3)]
    assert decide(rules, PREMIUM, 0.0) == RuleDecision(Verdict.APPROVE, 2, 0.0)
    assert decide(rules, PLAIN, 0.0) == RuleDecision(Verdict.DECLINE, 1, 0.0)


def test_whom_no_rule_fits_waits_for_a_person():
    assert decide([], PLAIN, 0.5) is BY_NOBODY
    assert decide([rule(1, conditions={"premium": True})], PLAIN, 0.5) is BY_NOBODY


@pytest.mark.parametrize(("chance", "delay"), [(0.0, 300.0), (0.5, 750.0), (0.999, 1199.1)])
def test_chance_chooses_the_delay_between_its_ends(chance, delay):
    decision = decide([rule(1, delay_from=300, delay_to=1200)], PLAIN, chance)
    assert decision.delay == pytest.approx(delay)


def test_a_rule_that_holds_does_nothing_by_itself():
    assert decide([rule(4, Verdict.HOLD, delay_to=9)], PLAIN, 0.5) == RuleDecision(Verdict.HOLD, 4)


@pytest.mark.parametrize(
    ("otherwise", "seconds", "expected"),
    [
        (Verdict.DECLINE, 600, RuleDecision(Verdict.DECLINE, 1, 600.0, asks=True)),
        (Verdict.APPROVE, 600, RuleDecision(Verdict.APPROVE, 1, 600.0, asks=True)),
        (Verdict.HOLD, 600, RuleDecision(Verdict.HOLD, 1, None, asks=True)),
        (Verdict.DECLINE, 0, RuleDecision(Verdict.HOLD, 1, None, asks=True)),
    ],
)
def test_a_rule_that_asks_waits_for_an_answer(otherwise, seconds, expected):
    asking = rule(1, Verdict.ASK, otherwise=otherwise, delay_to=seconds)
    assert decide([asking], PLAIN, 0.5) == expected


def test_all_are_let_in_but_who_is_blocked():
    assert let_all_in(PLAIN) == RuleDecision(Verdict.APPROVE, delay=0.0)
    assert let_all_in(Facts(7, 1, is_blocked=True)) is BY_NOBODY


def test_the_minute_and_the_weekday_are_those_of_the_zone():
    assert minute_and_weekday(MONDAY, RIGA) == (180, 1)
    assert minute_and_weekday(MONDAY - 3 * 3600 - 1, RIGA) == (1439, 7)


@pytest.mark.parametrize(
    ("quiet", "shift"),
    [((0, 0), 0), ((0, 60), 0), ((180, 240), 3600), ((120, 180), 0), ((1320, 360), 10_800)],
)
def test_what_falls_into_quiet_hours_waits_for_their_end(quiet, shift):
    assert after_quiet(MONDAY, RIGA, quiet) == MONDAY + shift


@given(st.integers(MONDAY, MONDAY + 20 * 86_400), st.integers(0, 1439), st.integers(0, 1439))
def test_nothing_is_scheduled_into_quiet_hours_or_more_than_a_day_later(moment, start, end):
    later = after_quiet(moment, ZoneInfo("UTC"), (start, end))
    assert moment <= later <= moment + 86_400
    assert after_quiet(later, ZoneInfo("UTC"), (start, end)) == later


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([Verdict.APPROVE, Verdict.DECLINE, Verdict.HOLD])),
        max_size=20,
    ),
    st.booleans(),
)
def test_no_rule_behind_the_first_that_fits_matters(rows, premium):
    rules = [rule(n, action, conditions={"premium": flag}) for n, (flag, action) in enumerate(rows)]
    facts = Facts(7, 1, premium=premium)
    found = first_fit(rules, facts)
    assert (
        found is first_fit([*rules[: (found.id + 1 if found else 0)], rule(99)], facts) or not found
    )
    if found:
        assert all(each.conditions["premium"] is not premium for each in rules[: found.id])
