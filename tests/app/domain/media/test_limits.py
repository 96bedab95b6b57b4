"""Telegram's limits of photos and videos, to the byte and to the pixel."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.media.limits import is_video, photo_fault

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("width", "height", "size", "word"),
    [
        (5000, 5000, 10 * MB, ""),
        (5000, 5001, 1, "10000 together; these are 10001"),
        (9523, 477, 1, ""),
        (20, 1, 1, ""),
        (1, 21, 1, "20 times"),
        (1, 1, 10 * MB + 1, "10 MB"),
        (9000, 9000, 11 * MB, "10 MB"),
    ],
)
def test_a_photo_is_within_all_limits_or_the_first_that_it_breaks_is_told(
    width, height, size, word
):
    fault = photo_fault(width, height, size)
    assert word in fault
    assert bool(fault) is bool(word)


@settings(max_examples=40)
@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_a_photo_may_lie_on_its_side(width, height):
    assert photo_fault(width, height, 1) == photo_fault(height, width, 1)


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"avc1", b"M4V ", b"iso6"])
def test_a_film_of_an_mpeg4_brand_is_a_video(brand):
    assert is_video(b"\0\0\0\x18ftyp" + brand + b"\0\0\2\0")


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\0\0\0\x18ftyp",
        b"\0\0\0\x18ftypqt  \0\0\0\0",
        b"\0\0\0\x18ftypheic\0\0\0\0",
        b"ftypisom\0\0\0\0",
        b"\0\0\0\x18moovisom\0\0\0\0",
        b"GIF89aftypisom",
    ],
)
def test_anything_else_is_none(head):
    assert not is_video(head)
