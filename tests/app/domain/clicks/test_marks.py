"""A visitor's mark: of a UUID always the same, and of anything else none."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clicks.marks import MARK_LENGTH, base62, read_mark


@given(st.uuids(), st.uuids())
def test_each_uuid_has_a_mark_of_its_own_however_it_is_written(one, another):
    assert len(read_mark(str(one))) == MARK_LENGTH
    assert read_mark(str(one).upper()) == read_mark(str(one))
    assert (read_mark(str(one)) == read_mark(str(another))) == (one == another)


def test_a_mark_of_ours_stays_as_it_is():
    assert read_mark("aB3" + "x" * 19) == "aB3" + "x" * 19


@pytest.mark.parametrize(
    "text",
    ["", "x" * 21, "x" * 23, "../" * 7 + "x", uuid.UUID(int=1).hex, "é" * 22, "x" * 22 + "\n"],
)
def test_anything_else_is_no_mark(text):
    assert read_mark(text) == ""


def test_digits_beyond_the_length_are_left_out():
    assert (base62(61, 2), base62(62, 2), base62(62**2, 2)) == ("0z", "10", "00")
