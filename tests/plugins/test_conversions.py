"""What Meta's and TikTok's adapters share."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from plugins.conversions import Address, Word, compact, hashed


def load(field, text):
    return Schema.from_dict({"it": field})().load({"it": text})["it"]


def test_space_around_what_was_pasted_is_dropped():
    assert load(Word(), "  EAAtoken\n") == "EAAtoken"


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "Ёж", "\x00"])
def test_a_word_has_nothing_that_a_header_cannot_carry(text):
    with pytest.raises(ValidationError):
        load(Word(), text)


def test_an_address_may_have_a_query_but_no_macros():
    assert load(Address(), "https://a.example/hook?x=1") == "https://a.example/hook?x=1"
    for wrong in ("https://a.example/hook?x={click}", "https://a:b@a.example/", "a.example"):
        with pytest.raises(ValidationError):
            load(Address(), wrong)


@given(st.text())
@example(" Ann ")
@example("\ud800")
def test_a_hash_is_of_the_text_in_lower_case_without_space_around(text):
    plain = text.lower().strip()
    assert hashed(text) == hashed(f"  {text.strip()}\t")
    assert hashed(hashed(text)) == hashed(text)
    if len(plain) not in (0, 32, 64):
        assert hashed(text) == hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
@example({"a": "\ud800"})
def test_whatever_people_write_becomes_json_that_every_parser_takes(value):
    body = compact(value)
    assert isinstance(json.loads(body.decode("utf-8")), dict)
