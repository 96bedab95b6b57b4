"""A field that decides must have its type; one that decorates falls back to empty."""

from typing import Any

import pytest

from app.domain.telegram.fields import (
    INT64,
    InvalidField,
    get_chat_id,
    get_date,
    get_int,
    get_object,
    get_text,
)
from app.domain.time_ranges import YEAR_10000


@pytest.mark.parametrize("value", [None, "5", 5.0, True, 0, -1, INT64, [5]])
def test_a_wrong_integer_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidField, match="id is not an integer in range"):
        get_int({"id": value}, "id")


@pytest.mark.parametrize("value", [1, INT64 - 1])
def test_integers_in_range_are_taken(value: int) -> None:
    assert get_int({"id": value}, "id") == value


def test_the_range_includes_its_low_end_and_excludes_its_high_end() -> None:
    assert get_int({"n": 2}, "n", low=2, high=4) == 2
    for value in (1, 4):
        with pytest.raises(InvalidField):
            get_int({"n": value}, "n", low=2, high=4)


def test_chats_may_have_negative_ids() -> None:
    assert get_chat_id({"id": -1_001_234}, "id") == -1_001_234


@pytest.mark.parametrize("value", [0, YEAR_10000, "now"])
def test_a_date_that_no_calendar_has_is_refused(value: Any) -> None:
    with pytest.raises(InvalidField):
        get_date({"date": value})
    assert get_date({"date": YEAR_10000 - 1}) == YEAR_10000 - 1


@pytest.mark.parametrize("parent", [{}, {"chat": None}, {"chat": []}, {"chat": "x"}])
def test_a_missing_object_is_refused_by_name(parent: dict[str, Any]) -> None:
    with pytest.raises(InvalidField, match="chat is not an object"):
        get_object(parent, "chat")


def test_texts_are_cleaned_and_cut_and_never_refused() -> None:
    assert get_text({"name": " a\0b\ud800" + "x" * 9}, "name", 5) == "abxxx"
    assert [get_text({"name": value}, "name", 5) for value in (None, 7, ["a"])] == ["", "", ""]
    assert get_text({}, "name", 5) == ""
