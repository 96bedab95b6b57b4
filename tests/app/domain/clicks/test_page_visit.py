"""A page's report: every name that we know is kept, and what is wrong loses nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clicks.link_query import QueryFlag
from app.domain.clicks.page_visit import country_code, host_and_path, page_address, read

FBP = "fb.1.1790000000000.123"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    st.lists,
    max_leaves=3,
)


def test_the_pages_address_its_ad_and_its_ids_are_read():
    visit = read(
        {
            "href": "https://shop.example:8443/deal?click=c-1&utm_source=fb&fbclid=IwAR&mail=a@b#x",
            "referrer": "https://l.instagram.com/page?private=1",
            "fbp": FBP, "ymUid": "42", "utmMedium": "cpc", "utmSource": "other", "sub2": "b",
            "country": "de", "city": "Berlin", "clientIp": "203.0.113.7", "userAgent": "Mozilla",
        },
        "click",
        {},
    )  # fmt: skip
    assert visit.landing == "https://shop.example:8443/deal"
    assert visit.referrer == "l.instagram.com/page"
    assert visit.query.external == "c-1"
    assert visit.query.ids == {"fbclid": "IwAR", "fbp": FBP, "ym_uid": "42"}
    assert visit.query.utm == {"source": "fb", "medium": "cpc"}
    assert visit.query.subs == {"sub2": "b"}
    assert (visit.country, visit.city, visit.client_ip) == ("DE", "Berlin", "203.0.113.7")
    assert "a@b" not in repr(visit)


def test_a_user_id_stands_in_for_a_click_id_that_is_not_there():
    assert read({"externalUserId": "u-1"}, "click", {}).query.external == "u-1"
    both = {"externalUserId": "u-1", "href": "https://shop.example/?click=c-1"}
    assert read(both, "click", {}).query.external == "c-1"


def test_what_meta_would_not_take_is_dropped_and_flagged():
    query = read({"fbp": "fb.1.12.3", "fbc": "x", "gclid": "g"}, "click", {}).query
    assert (query.ids, query.flags) == ({"gclid": "g"}, QueryFlag.INVALID_ID)


def test_what_is_too_long_is_dropped_and_never_cut():
    query = read({"gclid": "x" * 513, "utmTerm": "x" * 257, "sub1": "x" * 256}, "click", {}).query
    assert (query.ids, query.utm, len(query.subs["sub1"])) == ({}, {}, 256)
    assert query.flags & QueryFlag.CUT


@given(
    st.dictionaries(st.sampled_from(["href", "fbc", "city", "sub1", "country", "referrer"]), JSON)
)
def test_any_body_is_read(body):
    visit = read(body, "click", {})
    assert len(visit.landing) <= 2048
    assert len(visit.referrer) <= 512
    assert "\x00" not in repr(visit.query)


@pytest.mark.parametrize(
    ("address", "landing"),
    [
        ("https://a.example/b?c=d#e", "https://a.example/b"),
        ("http://a.example", "http://a.example"),
        ("https://user:secret@a.example/b", "https://a.example/b"),
        ("javascript:alert(1)", ""),
        ("https://[::", ""),
        ("https://a.example/" + "x" * 2048, ""),
        ("file:///etc/passwd", ""),
    ],
)
def test_a_page_is_kept_without_what_may_tell_of_a_person(address, landing):
    assert page_address(address.partition("?")[0]) == landing


@pytest.mark.parametrize(
    ("text", "code"),
    [("DE", "DE"), ("de", "DE"), ("XX", ""), ("T1", ""), ("Germany", ""), ("", "")],
)
def test_a_country_is_two_letters(text, code):
    assert country_code(text) == code


def test_a_referrer_that_is_none_is_left_out():
    assert [host_and_path(text) for text in ("", "about:blank", "https://[::")] == ["", "", ""]
