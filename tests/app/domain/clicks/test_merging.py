"""One click told of twice is the same click, whichever report comes first."""

import pytest

from app.domain.clicks.link_query import QueryFlag
from app.domain.clicks.merging import OBJECTS, TEXTS, merge

OLD, NEW = "fb.1.1790000000000.a", "fb.1.1790000000001.b"


def click(**values):
    return {
        **dict.fromkeys(TEXTS, ""),
        **{name: {} for name in OBJECTS},
        "pressed": None,
        "flags": 0,
        **values,
    }


def test_what_is_known_stays_and_what_was_empty_is_filled():
    merged = merge(
        click(external="c-1", ids={"fbclid": "a"}, pressed=5),
        click(external="c-2", landing="https://a.example/", ids={"fbclid": "b", "fbp": "p"}),
    )
    assert (merged["external"], merged["landing"]) == ("c-1", "https://a.example/")
    assert merged["ids"] == {"fbclid": "a", "fbp": "p"}
    assert merged["pressed"] == 5


@pytest.mark.parametrize(("first", "then"), [(OLD, NEW), (NEW, OLD)])
def test_the_later_fbc_counts(first, then):
    assert merge(click(ids={"fbc": first}), click(ids={"fbc": then}))["ids"]["fbc"] == NEW


def test_an_fbc_that_only_one_report_has_is_kept():
    assert merge(click(ids={"fbc": OLD}), click())["ids"] == {"fbc": OLD}
    assert merge(click(), click(ids={"fbc": OLD}))["ids"] == {"fbc": OLD}


def test_the_later_press_counts():
    assert merge(click(pressed=5), click(pressed=9))["pressed"] == 9
    assert merge(click(), click())["pressed"] is None


def test_a_visitor_who_agreed_once_has_agreed():
    no = click(flags=int(QueryFlag.NO_CONSENT))
    assert merge(no, no)["flags"] == QueryFlag.NO_CONSENT
    assert merge(no, click(flags=int(QueryFlag.CUT)))["flags"] == QueryFlag.CUT
    assert merge(click(), no)["flags"] == 0
