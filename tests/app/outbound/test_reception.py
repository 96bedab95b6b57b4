"""An answer is kept up to its limits, and one that has too much is stopped."""

import pytest

from app.outbound.reception import MAX_BLANK, MAX_HEAD, MAX_LINES, Reception


def test_what_came_in_pieces_is_whole():
    reception = Reception(10)
    assert [reception.on_header(line) for line in (b"HTTP/1.1 200\r\n", b"\r\n")] == [None, None]
    assert [reception.on_body(chunk) for chunk in (b"12345", b"67890", b"")] == [None, None, None]
    assert (reception.head, bytes(reception.body)) == (
        [b"HTTP/1.1 200\r\n", b"\r\n"],
        b"1234567890",
    )
    assert not reception.is_cut
    assert not reception.is_flooded


def test_a_body_that_is_too_long_is_cut_and_stopped():
    reception = Reception(4)
    assert reception.on_body(b"123456") == -1
    assert (bytes(reception.body), reception.is_cut) == (b"1234", True)


def test_a_head_that_is_too_large_is_stopped():
    by_size, by_lines = Reception(4), Reception(4)
    assert by_size.on_header(b"a" * MAX_HEAD) is None
    assert by_size.on_header(b"a") == -1
    assert [by_lines.on_header(b"a") for _ in range(MAX_LINES + 1)][-1] == -1
    assert by_size.is_flooded
    assert by_lines.is_flooded


def test_nothing_of_one_answer_is_left_for_the_next():
    reception = Reception(4)
    reception.on_header(b"a" * (MAX_HEAD + 1))
    reception.on_body(b"123456")
    reception.clear()
    assert (reception.head, bytes(reception.body)) == ([], b"")
    assert (reception.is_cut, reception.is_flooded) == (False, False)
    assert reception.on_header(b"a" * MAX_HEAD) is None


@pytest.mark.parametrize("blank", [b" ", b"\r\n", b"\xef\xbb\xbf", b" \0"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_white_space_before_an_answer_does_not_count(blank, size):
    reception = Reception(10)
    data = blank * 30 + b'{"error":1, "more": "than fits"}'
    for start in range(0, len(data), size):
        reception.on_body(data[start : start + size])
    assert bytes(reception.body) == b'{"error":1'
    assert reception.is_cut


def test_white_space_alone_is_kept_in_part_and_ends():
    reception = Reception(10)
    assert reception.on_body(b" " * 4000) is None
    assert (bytes(reception.body), reception.is_cut) == (b" " * 10, False)
    assert reception.on_body(b" " * MAX_BLANK) == -1
    assert reception.is_cut


def test_white_space_inside_an_answer_counts():
    reception = Reception(10)
    assert reception.on_body(b"1" + b" " * 20) == -1
    assert bytes(reception.body) == b"1         "


def test_only_what_goes_on_without_anything_for_us_is_endless():
    reception = Reception(10)
    for byte in range(2000):  # one after the other, a body comes or goes
        assert not any(reception.on_progress(0, byte, 0, 0) for _ in range(10))
    assert [reception.on_progress(0, 7, 0, 7) for _ in range(514)][-2:] == [0, 1]
    assert reception.is_endless
    reception.clear()
    assert not reception.is_endless
