"""Which hosts a site has, and which Origin is one of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clicks.origins import is_allowed, normalize_domain, origin_host


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("shop.example", "shop.example"),
        (" Shop.EXAMPLE. ", "shop.example"),
        ("https://shop.example/page?a=1", "shop.example"),
        ("shop.example:8080", "shop.example"),
        ("*.shop.example", "*.shop.example"),
        ("магазин.рф", "xn--80aairftm.xn--p1ai"),
        ("localhost", "localhost"),
        ("203.0.113.7", "203.0.113.7"),
        ("", ""),
        ("*", ""),
        ("*.", ""),
        ("*.example", ""),
        ("shop.*.example", ""),
        ("a b.example", ""),
        ("user@shop.example", ""),
        ("shop.example:port", ""),
        ("x" * 64 + ".example", ""),
        ("я." * 500 + "рф", ""),
        ("-shop.example", ""),
    ],
)
def test_a_domain_is_kept_as_it_is_compared(typed, domain):
    assert normalize_domain(typed) == domain


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://shop.example", "shop.example"),
        ("http://Shop.Example:8080", "shop.example"),
        ("null", ""),
        ("", ""),
        ("https://", ""),
        ("https://shop.example/", ""),
        ("https://a@shop.example", ""),
        ("ftp://shop.example", ""),
        ("chrome-extension://abc", ""),
        ("https://shop.example\x00.evil", ""),
    ],
)
def test_an_origin_is_what_a_browser_sends(origin, host):
    assert origin_host(origin) == host


def test_a_star_stands_for_names_below_it_and_not_for_the_name_itself():
    domains = ["shop.example", "*.other.example"]
    allowed = ["shop.example", "a.other.example", "a.b.other.example"]
    refused = ["www.shop.example", "other.example", "evilother.example", "shop.example.evil", ""]
    assert [is_allowed(host, domains) for host in allowed] == [True] * 3
    assert [is_allowed(host, domains) for host in refused] == [False] * 5


@given(st.text())
def test_any_text_is_read(text):
    domain = normalize_domain(text)
    assert domain == "" or normalize_domain(domain) == domain
    assert origin_host(text) in ("", text.partition("://")[2].partition(":")[0].lower())
