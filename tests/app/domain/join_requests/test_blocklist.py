"""Lists of blocked people as people paste them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.join_requests import blocklist
from app.domain.join_requests.blocklist import BlockedPerson, parse, read_person


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("7", BlockedPerson(7, None)),
        ("@Ann_Lee", BlockedPerson(None, "ann_lee")),
        ("ann", BlockedPerson(None, "ann")),
        ("7,ann,rude", BlockedPerson(7, "ann", "rude")),
        (' 7 , @Ann , "rude, very"', BlockedPerson(7, "ann", '"rude')),
        (',ann,"rude, very"', BlockedPerson(None, "ann", "rude, very")),
    ],
)
def test_a_line_names_a_person(line, expected):
    assert parse(line) == [expected]


def test_headers_and_empty_lines_are_left_out():
    assert parse("subscriber,username,reason\r\n7,,\r\n\r\n8,,\r\n") == [
        BlockedPerson(7, None),
        BlockedPerson(8, None),
    ]
    assert parse("") == []


@pytest.mark.parametrize(
    "line", ["a b", "7,a b", "-5", "0", "x" * 66, "https://t.me/ann", ",,rude"]
)
def test_what_names_nobody_is_told_by_its_line(line):
    with pytest.raises(ValueError, match="line 2: is neither"):
        parse(f"7\n{line}")


def test_a_list_has_an_end(monkeypatch):
    monkeypatch.setattr(blocklist, "MOST_ENTRIES", 2)
    with pytest.raises(ValueError, match="more than 2 lines"):
        parse("1\n2\n3")


def test_a_long_reason_is_cut():
    assert read_person("7", reason="x" * 300).reason == "x" * 200


@given(st.text(max_size=200))
def test_no_text_causes_another_fault(text):
    try:
        found = parse(text)
    except ValueError:
        return
    assert all(each.subscriber or each.username for each in found)
