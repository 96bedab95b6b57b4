from hypothesis import given
from hypothesis import strategies as st

from app.domain.time_ranges import DAY, HOUR, split

MOMENTS = st.integers(0, 5 * DAY)


@given(MOMENTS, MOMENTS)
def test_the_pieces_of_a_range_touch_and_fill_it(since, until):
    pieces = list(split(since, until))[::-1]
    ends = [since, *(piece.until for piece in pieces)]
    assert [piece.since for piece in pieces] == ends[:-1]
    assert ends[-1] == (until if pieces else since)
    assert bool(pieces) == (since < until)


@given(MOMENTS, MOMENTS)
def test_a_piece_begins_and_ends_with_its_unit_and_the_edges_stay_short(since, until):
    for unit, start, end in split(since, until):
        assert start % unit == end % unit == 0 < end - start
        assert unit == DAY or end - start < (DAY if unit == HOUR else HOUR)


@given(MOMENTS)
def test_an_open_end_costs_one_piece_without_it(moment):
    assert list(split(None, None)) == [(DAY, None, None)]
    first, *rest = list(split(moment, None))
    assert (first.unit, first.until, len(rest)) == (
        DAY,
        None,
        len(list(split(moment, first.since))),
    )
    *rest, last = list(split(None, moment))
    assert (last.unit, last.since, len(rest)) == (DAY, None, len(list(split(last.until, moment))))
