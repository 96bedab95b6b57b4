"""Macros: replaced once, escaped for where they land, never syntax."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import EventKind
from plugins.kit import macros
from plugins.kit.url_spelling import AddressRefused
from plugins.testing import HOSTILE, sample_event

hostile = st.one_of(st.sampled_from(HOSTILE), st.text(), st.text("./\\%@:?#&=\r\n2eE{}click"))


def test_every_macro_has_its_value():
    assert macros.values(sample_event(EventKind.HOLD)) == {
        "click": "Click_1-2",
        "status": "hold",
        "campaign": "abc123",
        "user": "42",
        "lead": "12",
        "subscriber": "987654321",
        "username": "some_name",
        "chat": "-1001234567890",
        "time": "1790000000",
        "title": "A channel",
        "premium": "1",
        "language": "en",
        "event_id": "018f-sample-event",
        "value": "",
        "value_currency": "",
        "name": "",
    }


def test_unknown_macros_stay_and_empty_values_are_empty():
    assert macros.fill("{foo}{click}{Click}{}", {"click": ""}) == "{foo}{Click}{}"
    event = sample_event(click="")
    assert (
        macros.fill_url("http://t.example/?a={foo}&b={click}", event)
        == "http://t.example/?a={foo}&b="
    )


def test_a_value_is_not_expanded_again():
    assert macros.fill("{click}", {"click": "{lead}", "lead": "1"}) == "{lead}"
    event = sample_event(click="{lead}")
    assert macros.fill_url("http://t.example/?a={click}", event) == "http://t.example/?a=%7Blead%7D"


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("HTTPS://t.example", "https://t.example/"),
        ("http://t.example:8080?x={lead}", "http://t.example:8080/?x=12"),
        ("http://[::1]:80/{lead}", "http://[::1]:80/12"),
        ("http://t.example/a b/Ж?q=é", "http://t.example/a%20b/%D0%96?q=%C3%A9"),
        (r"http://t.example/a\b?q=\{lead}", "http://t.example/a%5Cb?q=%5C12"),
        ("https://трекер.рф/{lead}", "https://xn--e1aaowdh.xn--p1ai/12"),
        ("http://t.example/?a=1%2B2&b={lead}#x={lead}", "http://t.example/?a=1%2B2&b=12#x=12"),
        ("http://t.example/?a={lead}{lead}", "http://t.example/?a=1212"),
    ],
)
def test_what_a_template_becomes(template: str, url: str):
    assert macros.fill_url(template, sample_event()) == url


@pytest.mark.parametrize("host", ["①②⑦.0.0.1", "a..é", "é" * 80, "ex\u2028ample", "℀.example"])
def test_odd_hosts_are_refused(host: str):
    with pytest.raises(ValueError, match="domain"):
        macros.compile_url(f"http://{host}/")


def test_dots_in_a_path_do_not_climb():
    event = sample_event(click="..", title=".")
    url = macros.fill_url("http://t.example/a/{click}/{title}/b", event)
    assert url == "http://t.example/a/%252E%252E/%252E/b"


@given(hostile)
def test_no_value_leaves_its_parameter(value: str):
    event = sample_event(click=value)
    parts = urlsplit(macros.fill_url("https://t.example:81/p?a={click}&b=1#f", event))
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == (
        "https", "t.example:81", "/p", "f",
    )  # fmt: skip
    survived = value.encode("utf-8", "replace").decode()
    assert parse_qsl(parts.query, keep_blank_values=True) == [("a", survived), ("b", "1")]


@given(hostile, hostile)
def test_no_value_leaves_its_path_segment(one: str, other: str):
    event = sample_event(click=one, title=other)
    parts = urlsplit(macros.fill_url("https://t.example/a/{click}{title}/b?c=d", event))
    assert (parts.netloc, parts.query, parts.fragment) == ("t.example", "c=d", "")
    _, first, segment, last = parts.path.split("/")
    assert (first, last) == ("a", "b")
    assert unquote(segment) not in (".", "..")
    assert segment.isascii()
    assert "%2F" in segment or "/" not in unquote(segment)


@given(st.text())
def test_a_template_is_compiled_or_refused_in_words(template: str):
    try:
        parts = macros.compile_url(template)
    except ValueError as error:
        assert type(error) in (ValueError, AddressRefused)  # noqa: PT017  # either way is right
    else:
        assert parts[0][0].startswith(("http://", "https://"))


@pytest.mark.parametrize("host", ["[1]", "[::1::]", "[1.2.3.4]", "[]", "[:]"])
def test_brackets_hold_an_ipv6_address_or_nothing(host: str):
    with pytest.raises(ValueError, match=r"IPv6|domain"):
        macros.compile_url(f"http://{host}/pb")


@given(st.text("htps:/?#@{}click.[]1%\\ é"))
def test_a_filled_template_goes_where_it_says(rest: str):
    try:
        url = macros.fill_url(f"http://{rest}", sample_event(click="@evil.example/"))
    except ValueError:
        return
    assert "evil" not in urlsplit(url).netloc
    assert url.isascii()
    assert "@" not in urlsplit(url).netloc


def test_the_names_in_a_template_are_listed_once_known_or_not():
    template = "{click}{lead|number}{clickId}{click}{a-b}{}{lead}"
    assert macros.names(template) == ["click", "lead", "clickId"]


@pytest.mark.parametrize(
    ("template", "name"),
    [("{lead|number}", "lead"), ("{lead}", ""), ("id {lead|number}", ""), ("{|number}", "")],
)
def test_a_number_stands_alone(template: str, name: str):
    assert macros.number_name(template) == name


def test_a_number_is_no_macro_outside_json():
    assert macros.fill("{lead|number}", {"lead": "1"}) == "{lead|number}"
    url = "http://t.example/?a={lead|number}"
    assert macros.fill_url(url, sample_event()) == url


def test_a_port_of_another_service_is_compiled_for_a_browser_and_not_called_by_us():
    macros.compile_url("http://t.example:6379/{lead}")
    with pytest.raises(ValueError, match="Redis"):
        macros.check_callable("http://t.example:6379/{lead}")


def test_what_is_known_of_a_click_goes_only_where_a_template_names_it():
    event = sample_event(touch={"utm_source": "fb ads", "sub10": "x&y"})
    url = macros.fill_url("https://t.example/{sub10}?s={utm_source}&i={ip}&z={sub11}", event)
    assert url == "https://t.example/x%26y?s=fb%20ads&i=&z={sub11}"
    assert not macros.values(event).keys() & macros.OF_TOUCH.keys()
    assert macros.all_values(event)["utm_source"] == "fb ads"
    assert macros.touch_names("{utm_source}{click}", "{ip}") == {"utm_source", "ip"}
