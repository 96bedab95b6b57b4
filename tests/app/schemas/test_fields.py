"""A field takes what it says it takes, in JSON and as text, and refuses the rest in a sentence."""

import enum
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.schemas import fields
from app.schemas.fields import LARGEST, NEVER, SMALLEST

JSON = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(max_size=3), st.none())
)  # fmt: skip


class Size(enum.IntEnum):
    SMALL = 3
    VERY_LARGE = 7


FIELDS = {
    "text": fields.Text(5, not_empty=True),
    "pattern": fields.Text(pattern=r"[a-z]+"),
    "int": fields.Int(-3, 3),
    "boolean": fields.Boolean(),
    "choice": fields.Choice("a", "b"),
    "enum": fields.EnumName(Size),
}


def fault(field: fields.Field, value: object) -> str:
    """The sentence with which a field refuses a value."""
    with pytest.raises(ValidationError) as caught:
        field.deserialize(value)
    (sentence,) = caught.value.messages
    return str(sentence)


@pytest.mark.parametrize("name", FIELDS)
@settings(max_examples=50)
@given(value=JSON)
def test_any_json_is_taken_or_refused_in_a_sentence_and_nothing_else(name, value):
    try:
        FIELDS[name].deserialize(value)
    except ValidationError as error:
        (sentence,) = error.messages
        assert re.match("(must|is|holds) ", sentence)


@given(st.integers(SMALLEST - 9, LARGEST + 9) | st.integers())
def test_a_number_is_the_same_typed_as_text_and_bounded_by_64_bits(number):
    field = fields.Int()
    if SMALLEST <= number <= LARGEST:
        assert field.deserialize(number) == field.deserialize(str(number)) == number
    else:
        assert "must be" in fault(field, number)
        assert "must be" in fault(field, str(number))


@pytest.mark.parametrize("value", [5.0, "5", 5, "05"])
def test_a_whole_number_may_be_spelled_in_several_ways(value):
    number = fields.Int(1, 9).deserialize(value)
    assert (number, type(number)) == (5, int)


@pytest.mark.parametrize(
    "value", [True, "", " 5", "+5", "5.0", "1e3", "\u0665", "5" * 20, 1.5, [5]]
)
def test_what_only_looks_like_a_number_is_none(value):
    assert fault(fields.Int(), value) == "must be a whole number"


@pytest.mark.parametrize(("value", "taken"), [(1, True), (5, True), (0, False), (6, False)])
def test_both_ends_of_a_range_belong_to_it(value, taken):
    field = fields.Int(1, 5)
    if taken:
        assert field.deserialize(value) == value
    else:
        assert fault(field, value) == "must be from 1 to 5"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        (fields.Text(3), "abcd", "is longer than 3 characters"),
        (fields.Text(3), "a\0", "holds a character that cannot be stored"),
        (fields.Text(3), "\ud800", "holds a character that cannot be stored"),
        (fields.Text(3), 5, "must be text"),
        (fields.Text(not_empty=True), "", "must not be empty"),
        (fields.Text(pattern="[a-z]+"), "ab\n", "is not of the expected form"),
        (fields.Text(pattern=r"\w+"), "é", "is not of the expected form"),
        (fields.Text(required=True), None, "must not be null"),
        (fields.Choice("a", "b"), "c", "must be one of a, b"),
        (fields.Choice("a", "b"), ["a"], "must be one of a, b"),
        (fields.EnumName(Size), "SMALL", "must be one of small, very_large"),
        (fields.EnumName(Size), 3, "must be one of small, very_large"),
        (fields.Boolean(), "yes", "must be true, false, 1 or 0"),
        (fields.Boolean(), 1.0, "must be true, false, 1 or 0"),
        (fields.Boolean(), 2, "must be true, false, 1 or 0"),
    ],
    ids=str,
)
def test_a_value_is_refused_with_the_reason(field, value, sentence):
    assert fault(field, value) == sentence


@pytest.mark.parametrize("value", ["abc", "", "äöü"])
def test_the_length_of_a_text_is_counted_in_characters(value):
    assert fields.Text(3).deserialize(value) == value


@pytest.mark.parametrize("on", [True, 1, "1", "true", "True"])
@pytest.mark.parametrize("off", [False, 0, "0", "false", "FALSE"])
def test_a_switch_has_two_positions_in_every_spelling(on, off):
    field = fields.Boolean()
    assert (field.deserialize(on), field.deserialize(off)) == (True, False)


@pytest.mark.parametrize("member", Size)
def test_an_enum_is_read_and_shown_by_its_name(member):
    field = fields.EnumName(Size)
    shown = field.serialize("size", {"size": int(member)})
    assert shown == member.name.lower()
    assert field.deserialize(shown) == member


def test_a_missing_number_is_shown_as_the_field_says():
    assert fields.Int(null_as=0).serialize("n", {"n": None}) == 0
    assert fields.Int().serialize("n", {"n": None}) is None
    assert fields.Int(null_as=0).serialize("n", {"n": 7}) == 7


@settings(max_examples=30)
@given(st.integers(1, 253_402_300_799))
def test_a_time_is_shown_in_utc(seconds):
    shown = fields.UtcText().serialize("at", {"at": seconds})
    assert shown == datetime.fromtimestamp(seconds, UTC).strftime("%4Y-%m-%d %H:%M:%S")


@pytest.mark.parametrize("value", [None, 0, 0.0, -1, -(2**63)])
def test_no_time_is_shown_as_zeros(value):
    assert fields.UtcText().serialize("at", {"at": value}) == NEVER


def test_times_beyond_the_year_9999_are_shown_as_its_last_second():
    assert fields.UtcText().serialize("at", {"at": 2**62}) == "9999-12-31 23:59:59"


def test_a_time_in_a_zone_names_its_offset_and_no_time_is_empty():
    field = fields.UtcText()
    field.zone = ZoneInfo("Asia/Kathmandu")
    assert field.serialize("at", {"at": 1_780_000_000.5}) == "2026-05-29 02:11:40+05:45"
    assert field.serialize("at", {"at": 2**62}).startswith("9999-12-31 ")
    assert [field.serialize("at", {"at": value}) for value in (None, 0, -1)] == ["", "", ""]
