"""Bodies are read as JSON is defined; what cannot be read is blamed on the right member."""

import json
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import ApiError, BadParameter, TooLarge
from app.schemas.parsing import (
    MAX_BODY,
    MAX_DEPTH,
    UNSTORABLE,
    UnreadableBody,
    parse_object,
    parse_pairs,
)

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_whole = st.integers(-(2**63), 2**63 - 1)
_plain = st.none() | st.booleans() | _whole | st.floats(allow_nan=False, allow_infinity=False)
_values = st.recursive(
    _plain | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=6,
)
_names = st.text("abcxyz_", min_size=1, max_size=8)
_bad = st.sampled_from(
    ["NaN", "-Infinity", "1e999", "9" * 5000, r'"\ud800"', r'{"a":[1,"x\udc00"]}', '{"a":NaN}']
    + [opening * times + "1" + closing * times for times in (20, 30, 5000)
       for opening, closing in (("[", "]"), ('{"q":', "}"))]
)  # fmt: skip


@given(st.dictionaries(_text, _values, max_size=5))
def test_an_object_is_read_as_it_was_written(written):
    assert parse_object(json.dumps(written).encode()) == written


@given(st.dictionaries(_names, _values, max_size=3), _names, _bad, st.booleans())
def test_the_one_bad_member_is_named_among_good_ones(good, name, bad, first):
    good.pop(name, None)
    members = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in good.items()]
    members.insert(0 if first else len(members), f'"{name}": {bad}')
    with pytest.raises(BadParameter) as caught:
        parse_object(("{" + ", ".join(members) + "}").encode())
    assert caught.value.extra == {"field": name}
    assert caught.value.field == name


@given(st.binary(max_size=60) | st.text('{}[]":,\\u0NaN19e.-', max_size=60).map(str.encode))
def test_any_bytes_are_an_object_or_an_error_of_ours(body):
    try:
        found = parse_object(body)
    except ApiError as error:
        found = error.code
    assert found == "param" or isinstance(found, dict)


def test_depth_is_counted_from_the_body():
    def body(depth):
        return b'{"a":' + b"[" * (depth - 2) + b"1" + b"]" * (depth - 2) + b"}"

    assert parse_object(body(MAX_DEPTH))
    with pytest.raises(BadParameter):
        parse_object(body(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "name", [r"\ud800", r"a\u0000", "x" * 65, ""], ids=["half", "NUL", "long", "empty"]
)
def test_a_name_that_cannot_be_repeated_is_not(name):
    with pytest.raises(UnreadableBody) as caught:
        parse_object(f'{{"{name}": NaN}}'.encode())
    assert caught.value.extra == {}


def test_a_list_has_no_members_to_blame():
    for body in (b'["a",' + b"[" * 5000 + b"]" * 5001, b'["a", NaN]'):
        with pytest.raises(UnreadableBody):
            parse_object(body)


def test_a_large_body_is_not_even_looked_at():
    with pytest.raises(TooLarge):
        parse_object(b" " * (MAX_BODY + 1))


@pytest.mark.parametrize("tail", [b'"\\"', b'"\\', b'\\"', b"["])
def test_a_body_made_to_be_slow_is_read_once(tail):
    body = b'{"a":' + b"[" * 5000
    with pytest.raises(UnreadableBody):
        parse_object(body + tail * ((MAX_BODY - len(body)) // len(tail)))


@given(st.lists(st.tuples(_text, _text), max_size=5))
def test_pairs_are_read_as_they_were_written(pairs):
    assert parse_pairs(urlencode(pairs).encode()) == pairs


@given(st.binary(min_size=1, max_size=20), st.booleans())
def test_bytes_that_are_no_utf8_are_found_and_all_others_are_text(value, escaped):
    sent = quote_from_bytes(value, safe="") if escaped else value.hex()
    ((name, text),) = parse_pairs(f"a={sent}".encode())
    assert name == "a"
    assert text == (value.decode("utf-8", "surrogateescape") if escaped else sent)
    assert bool(UNSTORABLE.search(text)) is (escaped and not _is_storable(value))


def _is_storable(value):
    try:
        return "\0" not in value.decode()
    except UnicodeDecodeError:
        return False
