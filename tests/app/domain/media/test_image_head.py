"""A picture's kind and size are read from its beginning, in bounded steps."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.domain.media.image_head import HEAD_BYTES, ImageHead, is_cut_short, read_image_head


def saved(form: str, width: int, height: int, **options) -> bytes:
    out = io.BytesIO()
    Image.new(options.pop("mode", "RGB"), (width, height), "red").save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"icc_profile": b"p" * 200_000, "exif": b"Exif\0\0" + b"x" * 60_000}),
        ("PNG", {}),
        ("PNG", {"mode": "RGBA"}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"mode": "RGBA", "exif": b"Exif\0\0"}),
    ],
)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (640, 360), (301, 4097)])
def test_every_kind_that_telegram_takes_is_recognised(form, options, width, height):
    content = saved(form, width, height, **options)
    assert read_image_head(content) == ImageHead(f"image/{form.lower()}", width, height)


def test_a_frame_header_behind_the_bounded_head_is_not_looked_for():
    segment = b"\xff\xe1\xff\xff" + b"x" * 65_533
    content = b"\xff\xd8" + segment * 17 + saved("JPEG", 8, 8)[2:]
    assert content.index(b"\xff\xc0") > HEAD_BYTES
    assert read_image_head(content) is None


def test_segments_without_end_are_given_up():
    assert read_image_head(b"\xff\xd8" + b"\xff\xe1\x00\x02" * 200_000) is None
    assert read_image_head(b"\xff\xd8\xff" + b"\xff" * HEAD_BYTES) is None


@pytest.mark.parametrize("content", [b"", b"GIF89a\1\0\1\0", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_anything_else_is_no_picture(content):
    assert read_image_head(content) is None


@pytest.mark.parametrize(("form", "noticed"), [("PNG", True), ("WEBP", True), ("JPEG", False)])
def test_a_file_without_its_end_is_noticed_where_decoders_mind(form, noticed):
    whole = saved(form, 40, 30)
    for content, cut in ((whole, False), (whole[:-1], noticed)):
        picture = read_image_head(content)
        assert picture is not None
        assert is_cut_short(picture, content, content[-100:], len(content)) is cut


@given(st.binary(max_size=300), st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(0, 200))
def test_no_bytes_at_all_make_it_fail(noise, form, keep):
    result = read_image_head(saved(form, 9, 9)[:keep] + noise)
    assert result is None or min(result.width, result.height) > 0
