"""JSON as trackers take it and answer it."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plugins.contract import Response
from plugins.kit.json_bodies import json_bytes, json_object, json_objects, valid_text


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
@example({"a": "\ud800"})
def test_whatever_people_write_becomes_json_that_every_parser_takes(value):
    body = json_bytes(value)
    assert isinstance(json.loads(body.decode("utf-8")), dict)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"null", b'{"a":'])
def test_an_answer_that_is_no_json_object_reads_as_an_empty_one(body: bytes):
    assert json_object(Response(200, {}, body)) == {}


def test_a_json_object_is_read_whatever_the_status():
    assert json_object(Response(500, {}, b'{"code": 1}')) == {"code": 1}


@given(st.text(st.characters()))
@example("a\ud800b")
def test_valid_text_can_be_encoded_and_differs_only_where_it_could_not(text: str):
    valid = valid_text(text)
    valid.encode("utf-8")
    assert len(valid) == len(text)
    assert all(new in (old, "?") for old, new in zip(text, valid, strict=True))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a":1}', [{"a": 1}]),
        ('[{"a":1},2,{"b":2}]', [{"a": 1}, {"b": 2}]),
        ('{"a":1}\n{"b":2}\n', [{"a": 1}, {"b": 2}]),
        ('\ufeff {"a":1},{"b":2}', [{"a": 1}, {"b": 2}]),
        ('{"a":1}<!-- 0.1 s -->', [{"a": 1}]),
        ("OK {", []),
        ("", []),
        ("[" * 20_000, []),
        ("{" * 20_000, []),
        ('OK: {"a":1}', [{"a": 1}]),
        (')]}\',\n{"a":1}', [{"a": 1}]),
        ('callback({"a":{"b":"}"}});', [{"a": {"b": "}"}}]),
        ('"{\\"a\\":1}"', [{"a": 1}]),
    ],
    ids=lambda value: str(value)[:20],
)
def test_every_object_of_an_answer_is_found(body: str, expected: list[object]):
    assert json_objects(Response(200, {}, body.encode())) == expected
