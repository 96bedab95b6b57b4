"""The ladder: which evidence decides, and that nothing else ever does."""

import functools
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attribution import (
    NO_TOUCH,
    How,
    JoinKind,
    Touch,
    deciding,
    is_in_time,
    kind_of_join,
)
from app.domain.telegram.evidence import Arrival

T = 1_790_000_000
DAY = 86_400
LOOKBACK = 30 * DAY
#: Whether each method names the click.
NAMES_CLICK = {How.START: True, How.LINK: True, How.REQUEST: True}


def touch(how: How, at: int, click: str | None = None) -> Touch:
    if click is None:
        click = f"{how.label}-{at}" if how.knows_click else ""
    return Touch(how, T + at, click, source_id=int(how), lookback=LOOKBACK)


@st.composite
def touches(draw: st.DrawFn) -> Touch:
    how = draw(st.sampled_from([How.START, How.LINK, How.REQUEST, How.FORWARDED, How.NAMED]))
    return touch(how, draw(st.integers(0, 20)) * draw(st.sampled_from([1, DAY])))


def test_only_the_first_three_methods_name_a_click():
    assert {how for how in How if how.knows_click} == set(NAMES_CLICK)


def test_the_newest_touch_decides():
    old, new = touch(How.LINK, 5), touch(How.START, 6)
    assert deciding(old, new) == deciding(new, old) == new


@pytest.mark.parametrize(("low", "high"), list(itertools.combinations(NAMES_CLICK, 2)))
def test_in_one_second_the_lower_number_decides(low, high):
    first, second = touch(low, 5), touch(high, 5)
    assert deciding(first, second) == deciding(second, first) == first


def test_a_join_by_a_link_is_decided_by_the_link_after_an_older_start():
    start, link = touch(How.START, 5, "c1"), touch(How.LINK, 60, "c2")
    assert deciding(start, link) == link


@pytest.mark.parametrize("how", [How.FORWARDED, How.NAMED])
def test_a_link_that_knows_no_click_takes_none_away(how):
    start, shared = touch(How.START, 5, "c1"), touch(how, 60)
    assert deciding(start, shared) == deciding(shared, start) == start


@pytest.mark.parametrize("how", [How.FORWARDED, How.NAMED])
def test_but_it_decides_over_a_click_that_is_older_than_the_look_back(how):
    start, shared = touch(How.START, 0, "c1"), touch(how, LOOKBACK + 1)
    assert deciding(start, shared) == shared
    assert deciding(start, touch(how, LOOKBACK)) == start


@pytest.mark.parametrize("nothing", [NO_TOUCH, touch(How.OTHER, 99)])
def test_what_is_no_evidence_changes_nothing(nothing):
    known = touch(How.NAMED, 5)
    assert deciding(known, nothing) == known
    assert deciding(nothing, known) == known


def test_a_click_counts_up_to_the_look_back_and_no_longer():
    assert is_in_time(T, T + LOOKBACK, LOOKBACK)
    assert not is_in_time(T, T + LOOKBACK + 1, LOOKBACK)


@given(st.lists(touches(), min_size=2, max_size=2))
def test_which_of_two_came_in_first_does_not_matter(pair):
    one, other = pair
    if one.at != other.at or one.how != other.how:
        assert deciding(one, other) == deciding(other, one)


@given(st.lists(touches(), min_size=1, max_size=6))
def test_what_decides_is_one_of_the_touches_and_never_a_mixture(given_touches):
    winner = functools.reduce(deciding, given_touches, NO_TOUCH)
    assert winner in given_touches


@given(st.lists(touches(), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_within_the_look_back_every_order_of_arrival_gives_the_same(given_touches, random):
    unique = {(one.at, one.how): one for one in given_touches if one.at <= T + 20 * DAY}
    shuffled = list(unique.values())
    random.shuffle(shuffled)
    in_order = sorted(unique.values(), key=lambda one: (one.at, -one.how))
    assert functools.reduce(deciding, shuffled, NO_TOUCH) == functools.reduce(
        deciding, in_order, NO_TOUCH
    )


@given(st.lists(touches(), max_size=4), st.integers(-DAY, DAY))
def test_what_a_touch_brings_does_not_depend_on_the_time_of_others(given_touches, shift):
    """No click is taken from a touch that does not bring it, however near in time it is."""
    winner = functools.reduce(deciding, given_touches, NO_TOUCH)
    moved = [Touch(one.how, one.at + shift, one.click, one.source_id) for one in given_touches]
    assert functools.reduce(deciding, moved, NO_TOUCH).click == winner.click


@pytest.mark.parametrize(
    ("how", "arrival", "is_public", "is_fallback", "kind"),
    [
        (How.START, Arrival.OTHER_LINK, False, False, JoinKind.START),
        (How.LINK, Arrival.LINK, False, False, JoinKind.LINK),
        (How.REQUEST, Arrival.LINK, False, False, JoinKind.REQUEST),
        (How.FORWARDED, Arrival.LINK, False, True, JoinKind.FORWARDED),
        (How.NAMED, Arrival.LINK, False, False, JoinKind.NAMED),
        (How.NAMED, Arrival.LINK, False, True, JoinKind.FALLBACK),
        (How.ORGANIC, Arrival.LINK, False, False, JoinKind.OTHER_LINK),
        (How.ORGANIC, Arrival.OTHER_LINK, False, False, JoinKind.OTHER_LINK),
        (How.ORGANIC, Arrival.FOLDER, True, False, JoinKind.FOLDER),
        (How.ORGANIC, Arrival.REQUEST, False, False, JoinKind.BARE_REQUEST),
        (How.ORGANIC, Arrival.UNKNOWN, True, False, JoinKind.PUBLIC),
        (How.ORGANIC, Arrival.UNKNOWN, False, False, JoinKind.ORGANIC),
    ],
)
def test_a_join_is_counted_by_its_method_or_by_the_reason_why_it_has_none(
    how, arrival, is_public, is_fallback, kind
):
    assert kind_of_join(how, arrival, is_public=is_public, is_fallback=is_fallback) is kind
    assert kind.knows_click == how.knows_click
