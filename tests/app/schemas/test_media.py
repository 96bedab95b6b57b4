"""One file of a multipart body is taken; a code never leaves the alphabet of codes."""

import io

import pytest
from flask import Flask
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import BadParameter
from app.schemas.media import FRAME, MediaChosen, MediaList, MediaRow, uploaded_file
from app.schemas.parsing import UnreadableBody

APP = Flask(__name__)


def upload(most: int = 100, **data: object) -> bytes:
    with APP.test_request_context(method="POST", data=data, content_type="multipart/form-data"):
        return uploaded_file(most).read()


def test_the_file_is_what_was_sent_under_its_name():
    assert upload(file=(io.BytesIO(b"picture"), "a.png"), other="x") == b"picture"


@pytest.mark.parametrize("data", [{}, {"file": "text"}, {"picture": (io.BytesIO(b"x"), "a.png")}])
def test_without_a_file_of_that_name_it_is_asked_for(data):
    with pytest.raises(BadParameter) as caught:
        upload(**data)
    assert caught.value.field == "file"


def test_a_body_beyond_the_file_and_its_frame_is_not_read():
    assert len(upload(100, file=(io.BytesIO(b"x" * 100), "a.png"))) == 100
    with pytest.raises(RequestEntityTooLarge):
        upload(100, file=(io.BytesIO(b"x" * (FRAME + 101)), "a.png"))


def test_an_upload_that_does_not_say_how_long_it_is_is_not_read():
    chunks = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    body = io.BytesIO(b"--x")
    with (
        APP.test_request_context(
            method="POST", input_stream=body, environ_overrides=chunks,
            content_type="multipart/form-data; boundary=x",
        ),
        pytest.raises(UnreadableBody, match="Content-Length"),
    ):  # fmt: skip
        uploaded_file(100)
    assert body.tell() == 0


@pytest.mark.parametrize("code", ["img_", "vid_A-z_09", "x" * 64])
def test_a_code_of_the_alphabet_is_taken(code):
    assert MediaChosen().load({"media": code}) == {"media": code}
    assert MediaList().load({"before": code})["before"] == code


@pytest.mark.parametrize("code", ["", "../x", "img.png", "é", "x" * 65, "a b", 7])
def test_no_other_code_is(code):
    with pytest.raises(ValidationError, match="media"):
        MediaChosen().load({"media": code})
    with pytest.raises(ValidationError, match="before"):
        MediaList().load({"before": code})


def test_a_row_says_when_it_came_and_whether_it_is_used():
    row = {
        "media": "img_a",
        "type": "image/png",
        "size": 5,
        "created": 0,
        "used": True,
        "data": b"",
    }
    assert MediaRow().dump(row) == {
        "media": "img_a", "type": "image/png", "size": 5, "created": "0000-00-00 00:00:00",
        "used": True,
    }  # fmt: skip
