"""An answer is read whatever charset its server wrote it in."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import Response

ERROR = '{"status":"error","message":"ошибка"}'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", ERROR.encode("utf-16")),
        ("", ERROR.encode("utf-16-le")),
        ("", ERROR.encode("utf-16-be")),
        ("", ERROR.encode("utf-32")),
        ("text/plain", codecs.BOM_UTF16_BE + ERROR.encode("utf-16-be")),
        ("application/json; charset=utf-8", ERROR.encode("utf-16-le")),
        ("application/json; charset=UTF-16", ERROR.encode()),
        ("text/html; Charset=windows-1251", ERROR.encode("windows-1251")),
        ('text/html;charset="koi8-r"; x=1', ERROR.encode("koi8-r")),
        ("text/html; charset=cp866", ERROR.encode("cp866")),
        ("text/html; charset=gb18030", ERROR.encode("gb18030")),
    ],
)
def test_an_answer_is_read_in_its_own_charset(content_type: str, body: bytes):
    response = Response(200, {"content-type": content_type}, body)
    assert response.json() == {"status": "error", "message": "ошибка"}
    assert response.unreadable == ""


@pytest.mark.parametrize("charset", ["cp999", "utf-7", "zip", "idna", "undefined", "", "x" * 999])
def test_a_charset_that_is_none_is_not_believed(charset: str):
    response = Response(200, {"content-type": f"text/html; charset={charset}"}, ERROR.encode())
    assert response.text == ERROR


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_page_is_known_in_every_charset(charset: str):
    assert Response(200, {}, "<!DOCTYPE html><html></html>".encode(charset)).unreadable


@given(
    st.binary(max_size=200), st.sampled_from(["", "text/html; charset=gbk", "a; charset=cp1252"])
)
def test_whatever_bytes_come_they_are_some_text(body: bytes, content_type: str):
    response = Response(200, {"content-type": content_type}, body)
    assert isinstance(response.text, str)
    response.json()
    assert isinstance(response.unreadable, str)
