"""The double reads marks and refuses URLs as Telegram does, in Telegram's words."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.welcome import is_link
from app.sandbox.telegram.methods import formatting
from bench.markdown import Tdlib, generated

HTTP, HOST, PORT = "Wrong HTTP URL", "URL host is empty", "Wrong port number specified in the URL"
CHARACTER, PROTOCOL = "Disallowed character in URL host", "Unsupported URL protocol"
#: As TDLib 1.8 answered to getMarkdownText.
URLS = {
    "https://e.com/a?b#c": "",
    "e.com": "",
    "HTTPS://E.COM": "",
    "https://a_b.com/": "",
    "https://1.2.3.4/x": "",
    "https://[::1]/": "",
    "https://пример.рф/": "",
    "https://u:p@e.com/": "",
    "https://e.com/a b": "",
    "http://e.c": "",
    "mailto:a@b.c": "",
    "tg://user?id=42": "",
    "tg:user?id=3": "",
    "tonsite://a.ton": "",
    "https://intranet/x": HTTP,
    "https://user@intranet": HTTP,
    "http://.com": "",
    "http://e.": "",
    "localhost:80": HTTP,
    "tel:123": HTTP,
    "": HOST,
    "//e.com": HOST,
    "https:///e.com": HOST,
    "not a url": CHARACTER,
    "http://a b.com/": CHARACTER,
    "https://{foo}.com/": CHARACTER,
    "ftp://e.com": PROTOCOL,
    "javascript:alert(1)": PORT,
    "https://e.com:99999/": PORT,
    "https://e.com:0/": PORT,
}


@pytest.mark.parametrize(("url", "fault"), URLS.items())
def test_a_url_is_taken_or_refused_as_by_telegram(url: str, fault: str) -> None:
    assert formatting.link_fault(url) == fault
    assert is_link(url) is not bool(fault)


def test_tdlib_says_the_same() -> None:
    tdlib = Tdlib()
    assert {url: tdlib.link_fault(url) for url in URLS} == URLS


def test_marks_are_shown_as_tdlib_shows_them() -> None:
    tdlib = Tdlib()
    assert [text for text in generated(5_000, seed=11) if shown(text) != visible(tdlib, text)] == []


def shown(text: str) -> str:
    """What the double shows without white space, which TDLib trims; or its refusal."""
    try:
        return "".join(formatting.plain(text).split())
    except formatting.Unparsable as error:
        return "".join(str(error).removeprefix("Bad Request: can't parse entities: ").split())


def visible(tdlib: Any, text: str) -> str:
    """The same of TDLib."""
    answer = tdlib.parse(text)
    return "".join((answer if isinstance(answer, str) else answer[0]).split())


@given(st.text())
def test_text_with_every_mark_escaped_is_shown_as_written(text):
    for mark in "_*`[":
        text = text.replace(mark, "\\" + mark)
    shown = formatting.plain(text)
    assert shown == text.replace("\\_", "_").replace("\\*", "*").replace("\\`", "`").replace(
        "\\[", "["
    )


@given(st.text(alphabet="_*`[]()\\a\n"))
def test_markdown_is_either_shown_or_refused(text):
    try:
        shown = formatting.plain(text)
    except formatting.Unparsable as error:
        shown = re.sub(r".*byte offset \d+", "", str(error))
    assert len(shown) <= len(text)
