"""An answer is read whatever charset its server wrote it in."""

import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import Response
from plugins.response_text import Fault, fault_of, is_binary

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


NOTICE = b"<br />\n<b>Notice</b>:  x in <b>/a.php</b> on line <b>3</b><br />\n"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"<h1>Not Found</h1>", Fault.PAGE),
        (b"<table><tr><td>1</table>", Fault.PAGE),
        (b"<center>nginx</center>", Fault.PAGE),
        (b"<a href='/login'>here</a>", Fault.PAGE),
        (b"<iframe src='/x'></iframe>", Fault.PAGE),
        (b"<pre>stack</pre>", Fault.PAGE),
        (b"<br>", Fault.PAGE),
        (b"<br/><br/>", Fault.PAGE),
        (b"Please <font color=red>log in</font>", Fault.PAGE),
        (b"<!--" + b"x" * 9000 + b"--><html>", Fault.PAGE),
        (b"<!-- never closed <html>", Fault.PAGE),
        (b"\r\n" * 3000 + b"<!DOCTYPE html>", Fault.PAGE),
        (b"\xef\xbb\xbf\xef\xbb\xbf<!doctype html>", Fault.PAGE),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>", Fault.PAGE),
        (b"[]<html></html>", Fault.PAGE),
        (NOTICE + b"<!DOCTYPE html>", Fault.PAGE),
        (b"Warning: x() expects y in /a.php on line 4\n<div>", Fault.PAGE),
        (NOTICE, Fault.PROGRAM),
        (b"PHP Warning:  x in /a.php on line 4\nNotice: y in /a.php on line 5\n", Fault.PROGRAM),
        (b"<br />\n<b>Fatal error</b>:  Uncaught Exception in /a.php:3\n#0 {main}", Fault.PROGRAM),
        (b"Parse error: syntax error, unexpected x in /a.php on line 9", Fault.PROGRAM),
        (b"nonotice: x on line 1tice: y on line 2", Fault.PROGRAM),
        (b"[]" * 100_000 + b"<html>", Fault.PAGE),
        (b"[]" * 100_000 + b'{"a', Fault.BROKEN),
        (b'{"status":"er', Fault.BROKEN),
        (b'[{"status":"ok"}', Fault.BROKEN),
        (b" " * 16_384, Fault.BLANK),
        (b"\x8b\x08\x80{\x22status\x22:\x22er\x03", Fault.BINARY),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_no_answer_of_a_trackers_is_known(body: bytes, fault: Fault):
    for content_type in ("", "text/html; charset=utf-8", "text/plain", "application/json"):
        assert fault_of(body, {"content-type": content_type}) is fault
        assert Response(200, {"content-type": content_type}, body).unreadable


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"OK", b"1", b"0", b"success", b"accepted", b"OK<br>", b"OK.<br />\n<br/>\n",
        b'{"status":"ok"}', b'{"html":"<h1>x</h1>"}', b'{"a":1}<!-- 0.1 s -->', b"[OK]", b"{ok}",
        b"OK <!-- <b>cached</b> -->", b"<ok/>", b"<response><code>1</code></response>",
        b"<?xml version='1.0'?>\n<reply><title>ok</title></reply>", b"GIF89a\1\0\1<a >",
        b"\x89PNG\r\n\x1a\n\1", b"\xff\xd8\xff\xe0\1", NOTICE + b"OK", NOTICE + b'{"status":"ok"}',
        "принято".encode("windows-1251"), "принято".encode("koi8-r"), b"1 < 2 > 0", b"a<b@c>",
    ],
    ids=lambda value: str(value)[:24],
)  # fmt: skip
def test_a_short_answer_of_a_tracker_may_be_one_whatever_its_header_says(body: bytes):
    for content_type in ("", "text/html; charset=utf-8", "text/html", "image/gif"):
        assert fault_of(body, {"content-type": content_type}) is None


@given(
    st.binary(max_size=200), st.sampled_from(["", "text/html; charset=gbk", "a; charset=cp1252"])
)
def test_whatever_bytes_come_they_are_some_text(body: bytes, content_type: str):
    response = Response(200, {"content-type": content_type}, body)
    assert isinstance(response.text, str)
    response.json()
    assert isinstance(response.unreadable, str)


def test_beginnings_of_messages_cost_about_what_other_words_do():
    """Each of them looked for an end of its own: seconds for a page, in which nobody else runs."""

    def seconds(word: bytes) -> float:
        body = word * (512 * 1024 // len(word)) + b"\non line 3"
        began = time.process_time()
        fault_of(body, {"content-type": word.hex()})  # nobody has asked for it before
        return time.process_time() - began

    assert seconds(b"notice: ") < 10 * max(seconds(b"motive: "), 0.02)


@pytest.mark.parametrize("body", [b"OK", b"", b"GIF8\x01", b"[]<html>", b"notice: x on line 1"])
def test_what_is_a_text_or_a_picture_is_not_binary(body: bytes):
    assert not is_binary(body)
    assert is_binary(b"O\x01" + body)
