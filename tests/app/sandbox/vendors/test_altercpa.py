"""The double of AlterCPA Lite: always 200, and `status` in the body decides."""

import pytest

from app.sandbox.vendors.altercpa import AltercpaDouble, ReceivedPostback
from app.sandbox.vendors.vendor import VendorCall

KEY = "42-d3adb33f"
POSTBACK = "/api/tracker/postback.json"
GOOD = {"id": KEY, "click": "c1", "uid": "7", "status": "approve"}


@pytest.fixture
def double() -> AltercpaDouble:
    return AltercpaDouble(KEY, clicks={"c1"})


def ask(double: AltercpaDouble, path: str = POSTBACK, raw: bytes = b"", **query: str):
    answer = double.answer(VendorCall("POST" if raw else "GET", path, {}, query=query, raw=raw))
    return answer.status, answer.body


@pytest.mark.parametrize("path", [POSTBACK, "/api/track/postback.json"])
def test_a_good_postback_is_taken_by_both_addresses(double, path):
    assert ask(double, path, **GOOD)[1]["status"] == "ok"
    assert double.postbacks == [ReceivedPostback("c1", "7", "approve")]


def test_a_form_says_the_same_as_a_query(double):
    assert ask(double, raw=b"click=c1&uid=8&status=hold", id=KEY)[1]["status"] == "ok"
    assert double.leads == {("c1", "8"): "hold"}


def test_a_later_status_replaces_the_earlier_one_of_the_same_uid(double):
    for uid, status in [("7", "new"), ("7", "approve"), ("8", "cancel")]:
        ask(double, **{**GOOD, "uid": uid, "status": status})
    assert double.leads == {("c1", "7"): "approve", ("c1", "8"): "cancel"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"id": "42-wrong"}, "key"),
        ({"click": "c2"}, "click"),
        ({"click": ""}, "click"),
    ],
)
def test_what_is_wrong_is_named_under_the_status_200(double, changes, error):
    assert ask(double, **{**GOOD, **changes}) == (200, {"status": "error", "error": error})
    assert double.postbacks == []


def test_any_word_is_a_status_as_the_tracker_recognises_others_than_its_own(double):
    assert ask(double, **{**GOOD, "status": "sold"})[1]["status"] == "ok"
    assert double.leads == {("c1", "7"): "sold"}


def test_the_probe_says_whether_the_key_is_good(double):
    path = "/api/tracker/status.json"
    assert ask(double, path, id=KEY)[1] == {"status": "ok"}
    assert ask(double, path, id="42-wrong")[1]["error"] == "key"
    assert double.probes == 2
