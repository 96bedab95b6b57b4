"""A customer's own words move together with the parameters that explain them."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.sandbox.vendors.keitaro import KeitaroDouble
from app.sandbox.vendors.vendor import VendorCall
from plugins.contract import EventKind
from plugins.kit import macros, spelling
from plugins.testing import sample_event
from tests.plugins.trackers.url_template.test_presets import ADAPTER, TYPED, query, settings

KINDS = {
    "wait": "lead",
    "hold": "lead",
    "approve": "sale",
    "cancel": "rejected",
    "trash": "rejected",
}
LETTERS = st.characters(codec="utf-8", exclude_characters=",{}", exclude_categories=["C", "Z"])
WORDS = st.text(LETTERS, min_size=1, max_size=8).filter(
    lambda word: not spelling.address_fault(macros.in_query(word))
)


def wrong(key: str, mode: str = "", **statuses: str) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        settings(key, mode=mode, statuses=statuses)
    return caught.value.normalized_messages()["statuses"]


@pytest.mark.parametrize("key", ["keitaro", "orbitra"])
def test_a_word_of_the_customers_own_stands_in_the_trackers_list(key):
    sent = query(key, statuses={"approve": "zzz"})
    assert (sent["status"], sent["sale_status"]) == ("zzz", "zzz")
    assert query(key, EventKind.WAIT, statuses={"approve": "zzz"})["sale_status"] == "zzz"


@pytest.mark.parametrize("mode", ["one", "separate"])
@given(words=st.lists(WORDS, min_size=5, max_size=5, unique=True))
def test_whatever_the_words_the_tracker_files_each_event_as_before(mode, words):
    kept = settings("keitaro", mode=mode, statuses=dict(zip(KINDS, words, strict=True)))
    for kind in EventKind:
        (request,) = ADAPTER.build(sample_event(kind), kept)
        parts = urlsplit(request.url)
        double = KeitaroDouble(TYPED["postback_key"])
        double.answer(VendorCall("GET", parts.path, {}, query=dict(parse_qsl(parts.query))))
        assert list(double.conversions.values()) == [KINDS[kind.value]]


def test_an_event_that_is_not_sent_is_in_no_list():
    sent = query("keitaro", statuses={"hold": "", "cancel": "", "trash": ""})
    assert sent["lead_status"] == "wait"
    assert "rejected_status" not in sent
    assert (
        query("keitaro", EventKind.WAIT, statuses={"approve": "", "wait": "approve"})["lead_status"]
        == "approve,hold"
    )


def test_a_word_that_the_tracker_cannot_file_is_refused():
    assert "1, 2, 3, 5" in wrong("affise", approve="approved")["approve"][0]
    assert "reg, dep" in wrong("tgtracker", approve="sale")["approve"][0]
    assert "comma" in wrong("keitaro", approve="sale,lead")["approve"][0]
    assert "U+115F" in wrong("keitaro", approve="sale\u115f")["approve"][0]
    assert "macro" in wrong("keitaro", approve="{lead}")["approve"][0]
    assert "wait" in wrong("keitaro", approve="wait")["approve"][0]
    assert "not told" in wrong("tgtracker", wait="reg")["wait"][0]
    assert query("affise", statuses={"approve": "5"})["status"] == "5"
    assert query("keitaro", statuses={"wait": "x", "hold": "x"})["lead_status"] == "x"


@pytest.mark.parametrize(
    ("key", "mode", "statuses", "other"),
    [
        ("voluum", "separate", {"cancel": "Subscribe"}, "approve"),
        ("voluum", "separate", {"hold": "Start"}, "wait"),
        ("funnelflux", "separate", {"cancel": "approve"}, "approve"),
        ("peerclick", "separate", {"cancel": "approved"}, "approve"),
        ("grampixel", "separate", {"cancel": "Subscribe"}, "approve"),
        ("affise", "one", {"cancel": "1"}, "approve"),
        ("affise", "one", {"wait": "1", "approve": "5"}, "approve"),
        ("affise", "separate", {"approve": "5"}, "hold"),
        ("binom", "one", {"cancel": "sale", "approve": "sale"}, "approve"),
    ],
)
def test_one_word_for_two_events_that_the_tracker_would_mix_up_is_refused(
    key, mode, statuses, other
):
    problem = wrong(key, mode, **statuses)[next(iter(statuses))][0]
    assert f"could not tell it from {other}" in problem


@pytest.mark.parametrize(
    ("key", "mode", "statuses"),
    [
        ("affise", "separate", {"cancel": "3", "trash": "3"}),
        ("affise", "one", {"hold": "1", "approve": ""}),
        ("voluum", "separate", {"cancel": "Subscribe", "approve": "Join"}),
        ("binom", "one", {"wait": "lead", "hold": "lead"}),
        ("grampixel", "separate", {"wait": "Lead", "hold": "Lead"}),
    ],
)
def test_one_word_for_two_events_is_taken_where_nothing_is_lost(key, mode, statuses):
    assert settings(key, mode=mode, statuses=statuses)["statuses"].items() <= statuses.items()
