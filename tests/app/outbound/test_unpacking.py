"""A packed body without a header is unpacked, and nothing else is touched."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outbound.unpacking import unpacked

JSON = b'{"status":"error"}'


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, lambda b: zlib.compress(b, 1)])
def test_gzip_and_zlib_are_known_by_their_first_bytes(pack):
    assert unpacked(pack(JSON), 100) == JSON
    assert unpacked(pack(JSON) + b"rubbish", 100) == JSON
    assert unpacked(pack(JSON)[:-6], 100) is not None, "cut short"


def test_no_more_than_the_limit_is_unpacked():
    assert unpacked(gzip.compress(b"z" * 1_000_000), 10) == b"z" * 10


def test_what_begins_like_gzip_and_is_none_is_not_understood():
    assert unpacked(b"\x1f\x8b\x08 no gzip", 100) is None
    assert unpacked(b"x\x9c no zlib", 100) == b"x\x9c no zlib"


@given(st.text())
def test_text_is_left_alone(text: str):
    assert unpacked(text.encode("utf-8", "replace"), 100) == text.encode("utf-8", "replace")
