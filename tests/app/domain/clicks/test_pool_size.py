"""How many invite links lie ready: twice what the busiest five minutes needed."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.clicks.pool_size import FEWEST, LOOKED_BACK, MOST, NEWEST, SPAN, links_to_keep

NOW = 1_700_000_000


def test_a_quiet_chat_keeps_a_few_and_a_busy_one_no_more_than_the_most():
    assert links_to_keep([], NOW) == FEWEST
    assert links_to_keep([NOW - 10] * 1000, NOW) == MOST


def test_the_busiest_five_minutes_of_the_last_hour_count_twice():
    clicks = [NOW - 10] * 3 + [NOW - 2000] * 20 + [NOW - LOOKED_BACK] * 90
    assert links_to_keep(clicks, NOW) == 40


@given(st.lists(st.integers(0, 2 * LOOKED_BACK), max_size=60), st.integers(1, 40))
def test_the_newest_clicks_tell_as_much_as_all_of_them(ages, times):
    newest_first = sorted(age for age in ages for _ in range(times))
    moments = [NOW - age for age in newest_first]
    assert links_to_keep(moments[:NEWEST], NOW) == links_to_keep(moments, NOW)


def test_so_many_of_the_newest_fill_the_pool_if_they_do_not_fill_the_hour():
    assert NEWEST >= MOST / 2 * LOOKED_BACK / SPAN
