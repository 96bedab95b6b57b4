"""The double of Keitaro: one conversion of a click, unless a `tid` sets another apart."""

import pytest

from app.sandbox.vendors.keitaro import KeitaroDouble
from app.sandbox.vendors.vendor import VendorCall

LISTS = {"lead_status": "wait,hold", "sale_status": "approve", "rejected_status": "cancel,trash"}


@pytest.fixture
def double() -> KeitaroDouble:
    return KeitaroDouble("0d6b")


def ask(double: KeitaroDouble, key: str = "0d6b", **query: str):
    return double.answer(VendorCall("GET", f"/{key}/postback", {}, query=query))


def test_a_later_status_overwrites_unless_there_is_a_tid(double):
    for more in ({"status": "wait"}, {"status": "trash"}, {"status": "approve", "tid": "7"}):
        assert ask(double, subid="c1", **LISTS, **more).data == b"Success"
    assert double.conversions == {("c1", ""): "rejected", ("c1", "7"): "sale"}
    assert double.postbacks == [("c1", "wait"), ("c1", "trash"), ("c1", "approve")]


def test_a_success_is_told_in_the_word_that_was_asked_for(double):
    assert ask(double, subid="c1", status="wait", **{"return": "OK"}).data == b"OK"


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({}, "sale"),
        ({"status": "lead"}, "lead"),
        ({"status": "rejected"}, "rejected"),
        ({"status": "rebill"}, "rebill"),
        ({"status": "approve", **LISTS}, "sale"),
        ({"status": "wait", **LISTS}, "lead"),
        ({"status": "lead", "sale_status": "lead"}, "sale"),
        ({"status": "x", "trash_status": "x"}, "trash"),
        ({"status": "zzz"}, None),
        ({"status": "zzz", "sale_status": "approve"}, None),
        ({"status": "zzz", **LISTS}, None),
    ],
)
def test_a_status_is_filed_by_a_list_or_by_its_own_word_or_not_at_all(double, query, kind):
    ask(double, subid="c1", **query)
    assert double.conversions.get(("c1", "")) == kind
    assert len(double.postbacks) == 1


def test_a_wrong_key_meets_the_panel_with_the_status_200(double):
    answer = ask(double, key="wrong", subid="c1", status="wait")
    assert (answer.status, b"<html>" in answer.data) == (200, True)
    assert double.postbacks == []
