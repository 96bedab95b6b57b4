"""The fields that settings of several trackers share."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields

from plugins.kit.fields import AsciiWord, Domain, HttpUrl, StrippedText, parse_base_url


def load(field: fields.Field[Any], text: str) -> Any:
    return Schema.from_dict({"it": field})().load({"it": text})["it"]


def test_space_around_what_was_pasted_is_dropped():
    assert load(AsciiWord(), "  EAAtoken\n") == "EAAtoken"


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "Ёж", "\x00"])
def test_a_word_has_nothing_that_a_header_cannot_carry(text):
    with pytest.raises(ValidationError):
        load(AsciiWord(), text)


def test_an_address_may_have_a_query_but_no_macros():
    assert load(HttpUrl(), "https://a.example/hook?x=1") == "https://a.example/hook?x=1"
    for wrong in ("https://a.example/hook?x={click}", "https://a:b@a.example/", "a.example"):
        with pytest.raises(ValidationError):
            load(HttpUrl(), wrong)


@pytest.mark.parametrize("host", ["0x7f.1", "[zz]", "a..b", "-a.example", "a.example:6379"])
def test_no_field_takes_an_address_that_is_never_called(host: str):
    for field, text in ((HttpUrl(), f"https://{host}/"), (Domain(), host)):
        with pytest.raises(ValidationError):
            load(field, text)
    with pytest.raises(ValidationError):
        parse_base_url(f"https://{host}")


def test_text_keeps_its_inner_space_and_loses_the_outer():
    assert load(StrippedText(), "\t two words ") == "two words"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("www.altercpa.red", "www.altercpa.red"),
        (" WWW.AlterCPA.Red ", "www.altercpa.red"),
        ("tracker.lan:8080", "tracker.lan:8080"),
        ("10.0.0.7:81", "10.0.0.7:81"),
        ("трекер.example", "xn--e1aaowdh.example"),
    ],
)
def test_a_domain_may_carry_a_port(typed: str, kept: str):
    assert load(Domain(), typed) == kept


@pytest.mark.parametrize(
    ("domain", "word"),
    [
        ("https://www.altercpa.red", "without http://"),
        ("www.altercpa.red/api", "'/'"),
        ("www.altercpa.red?x", "'?'"),
        ("www.altercpa.red#x", "'#'"),
        ("me@www.altercpa.red", "user name"),
        ("me:word@www.altercpa.red", "user name"),
        ("www.altercpa.red\\x", "alone"),
        ("www.altercpa.red:70000", "port"),
        ("www.altercpa.red:", "port"),
        ("{click}.example", "{click}"),
        ("", "no domain"),
        ("a b", "alone"),
    ],
)
def test_anything_but_a_domain_is_refused_in_words(domain: str, word: str):
    with pytest.raises(ValidationError) as caught:
        load(Domain(required=True), domain)
    assert word in caught.value.messages_dict["it"][0]


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
