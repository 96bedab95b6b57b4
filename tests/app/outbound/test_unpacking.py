"""A packed body is unpacked whatever its header says, and nothing else is touched."""

import gzip
import random
import sys
import zlib
from typing import Any

import brotli
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.outbound.unpacking import unpacked

JSON = b'{"status":"error"}'


BOM = b"\xef\xbb\xbf"


def packed_with(window: int, body: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(body) + packer.flush()


def zipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


@pytest.mark.parametrize(
    "body",
    [
        zipped(JSON),
        zlib.compress(JSON),
        zlib.compress(JSON, 1),
        *(packed_with(window, JSON) for window in range(9, 16)),
        packed_with(-15, JSON),
        packed_with(-9, JSON),
        zipped(JSON[:7]) + zipped(JSON[7:]),
        zipped(b"") + zipped(JSON) + b"\0\0\0",
        zipped(zipped(JSON)),
        zlib.compress(zipped(zlib.compress(JSON))),
        b"\n" + zipped(JSON),
        BOM + zipped(JSON),
        b"\r\n\r\n" + zlib.compress(JSON),
        zipped(b"\n" + zipped(JSON)),
        zipped(b" " * 40_000 + JSON),
        zipped(b" " * 40_000) + zipped(JSON),
    ],
    ids=lambda body: body[:4].hex(),
)
def test_a_packing_is_known_by_what_it_is(body: bytes):
    assert unpacked(body, 100) == JSON
    assert unpacked(body + b"\n", 100) == JSON


def test_rubbish_behind_a_whole_packing_is_left_out():
    for pack in (zipped, zlib.compress):
        assert unpacked(pack(JSON) + b"rubbish", 100) == JSON


@pytest.mark.parametrize(
    "body",
    [
        zipped(JSON)[:-6],
        zipped(JSON)[:12],
        zipped(b"OK") + zipped(JSON)[:-9],
        zlib.compress(JSON)[:-6],
        zipped(zipped(JSON)[:-9]),
        zipped(zipped(zipped(zipped(zipped(JSON))))),
        b"\x1f\x8b\x08",
    ],
    ids=lambda body: str(len(body)),
)
def test_a_packing_that_breaks_off_is_not_understood(body: bytes):
    assert unpacked(body, 100) is None


@pytest.mark.parametrize("size", [1, 1000, 1023, 1024, 1025, 5000, 100_000])
def test_the_end_of_a_brotli_is_found_by_few_looks_whatever_stands_behind_it(size: int):
    text = random.Random(size).randbytes(size).hex().encode()[:size]
    looks = 0

    def count(_frame: object, event: str, function: Any) -> None:
        nonlocal looks
        looks += event == "c_call" and function.__name__ == "process"

    for behind in (b"", b"x", b"\n" * 3000):
        sys.setprofile(count)
        try:
            assert unpacked(brotli.compress(text) + behind, 200_000, "br") == text
        finally:
            sys.setprofile(None)
    assert looks < 4000


def test_what_we_cut_ourselves_is_read_as_far_as_it_goes():
    for pack in (zipped, zlib.compress):
        part = unpacked(pack(JSON)[:-6], 100, is_whole=False)
        assert part
        assert JSON.startswith(part)


def test_blank_bombs_end():
    body = unpacked(gzip.compress(b" " * 50_000_000), 100)
    assert body == b" " * 100


def test_no_more_than_the_limit_is_unpacked():
    assert unpacked(gzip.compress(b"z" * 1_000_000), 10) == b"z" * 10


def test_what_begins_like_gzip_and_is_none_is_not_understood():
    assert unpacked(b"\x1f\x8b\x08 no gzip", 100) is None
    assert unpacked(b"x\x9c no zlib", 100) == b"x\x9c no zlib"


@given(st.text())
@example("\U000bd8500\x80")  # which is a raw deflate, too
def test_text_is_left_alone(text: str):
    assert unpacked(text.encode("utf-8", "replace"), 100) == text.encode("utf-8", "replace")


def test_what_a_header_names_is_undone_from_the_outside():
    body = brotli.compress(zlib.compress(zipped(JSON)))
    for coding in ("gzip, deflate, br", "X-GZIP,deflate , BR", "identity, gzip, deflate, br"):
        assert unpacked(body, 100, coding) == JSON
    assert unpacked(zlib.compress(JSON)[2:-4], 100, "deflate") == JSON


def test_what_a_header_names_may_be_many_members_and_is_read_whole():
    assert unpacked(zipped(JSON[:7]) + zipped(JSON[7:]), 100, "gzip") == JSON
    assert unpacked(zipped(b"OK") + zipped(b""), 100, "gzip") == b"OK"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
@given(text=st.text(min_size=10), part=st.floats(0, 1))
def test_no_part_of_a_packed_text_passes_for_the_text(coding, text, part):
    body = {"gzip": zipped, "deflate": zlib.compress, "br": brotli.compress}[coding](
        text.encode("utf-8", "replace")
    )
    cut = max(8, int(len(body) * part))
    assume(cut < len(body))
    assert unpacked(body[:cut], 10_000, coding) is None


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "UTF-8", "foo, bar"])
@pytest.mark.parametrize(
    "body", [b"OK", JSON, "Да".encode(), b"1", b"GIF89a\x01\x00\x01\x00", b"", b" " * 99]
)
def test_a_text_that_is_not_what_its_header_names_is_read_as_it_is(coding, body):
    assert unpacked(body, 100, coding) == body


def test_a_charset_where_the_packing_belongs_says_how_to_read_the_text():
    body = "Ошибка".encode("cp1251")
    assert unpacked(body, 100, "windows-1251") == body
    assert unpacked(body, 100, "x-own") is None


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, br", "br, gzip, deflate"])
def test_bombs_that_a_header_names_unfold_to_no_more_than_the_limit(coding):
    for filling in (b"z", b" "):
        body = filling * 20_000_000
        for name in coding.split(", "):
            body = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}[name](
                body
            )
        assert unpacked(body, 100, coding) == filling * 100


def test_many_members_hold_no_more_than_the_limit():
    assert unpacked(zipped(b"z" * 90) * 50, 100, "gzip") == b"z" * 100


def test_more_packings_than_anybody_uses_are_not_undone():
    assert unpacked(b"OK", 100, "gzip, gzip, gzip, gzip, gzip") is None


@given(st.binary(max_size=64), st.sampled_from(["gzip", "deflate", "br", "x-own", "br, gzip"]))
def test_whatever_comes_is_read_or_not_understood(body, coding):
    read = unpacked(body, 50, coding)
    assert read is None or read == body or len(read) <= 50
