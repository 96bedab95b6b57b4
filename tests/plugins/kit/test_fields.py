"""The address of a tracker's server."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugins.kit.fields import parse_base_url


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://ru.altkraft.com", "https://ru.altkraft.com"),
        ("HTTPS://ru.altkraft.com/", "https://ru.altkraft.com"),
        ("https://mail.example.com:8443/", "https://mail.example.com:8443"),
        ("https://почта.рф", "https://xn--80a1acny.xn--p1ai"),
        ("http://127.0.0.1:81", "http://127.0.0.1:81"),
        ("http://[fd00::1]:81", "http://[fd00::1]:81"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_an_address_is_kept_without_its_slash(typed: str, kept: str):
    assert parse_base_url(typed) == kept
    assert parse_base_url(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ru.altkraft.com",
        "ftp://ru.altkraft.com",
        "http://ru.altkraft.com",
        "http://8.8.8.8",
        "https://me:word@ru.altkraft.com",
        "https://ru.altkraft.com/api",
        "https://ru.altkraft.com/{click}",
        "https://ru.altkraft.com/?a={click}",
        "https://ru.altkraft.com?",
        "https://ru.altkraft.com#",
        "https://{click}/",
        "https://ru.altkraft.com:0",
        "https://",
    ],
)
def test_more_or_less_than_an_address_is_refused(typed: str):
    with pytest.raises(ValidationError):
        parse_base_url(typed)


@given(st.text(max_size=30))
def test_what_is_kept_is_never_more_than_scheme_host_and_port(text: str):
    try:
        parts = urlsplit(parse_base_url(f"https://a.example{text}"))
    except ValidationError:
        return
    assert parts.scheme == "https"
    assert parts.hostname
    assert (parts.path, parts.query, parts.fragment, parts.username) == ("", "", "", None)
