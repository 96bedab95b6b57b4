"""The rate limit of a delivery policy: checked, and stated by the adapters that have one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from plugins.contract import (
    ALL_KINDS,
    ConversionKind,
    DeliveryPolicy,
    EventKind,
    RateLimit,
    Request,
    Response,
    Verdict,
    hookimpl,
    kind_named,
    outcome_by_status,
)
from plugins.registry import Adapter, AdapterFailed, make_adapter
from plugins.testing import sample_event
from plugins.trackers.adtarget import adapter as adtarget
from plugins.trackers.altcraft import adapter as altcraft
from tests.support.adapters import PlainPlugin

KEY = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"
TOKEN = "0123456789abcdef0123456789abcdef"


def paced(limit: Any) -> Adapter:
    class Paced(PlainPlugin):
        @hookimpl
        def delivery_policy(self, settings):
            return DeliveryPolicy(rate_limit=limit)

    return make_adapter("paced", Paced())


def asked(kinds: Any) -> Adapter:
    class Asked(PlainPlugin):
        @hookimpl
        def conversion_kinds(self):
            return kinds

    return make_adapter("asked", Asked())


def test_the_places_of_kinds_never_change_since_stored_switches_count_by_them():
    assert [kind.value for kind in ALL_KINDS] == [
        "wait", "hold", "approve", "cancel", "trash", "register", "purchase", "refund", "custom",
    ]  # fmt: skip
    assert [kind_named(kind.value) for kind in ALL_KINDS] == list(ALL_KINDS)


def test_a_plugin_that_does_not_know_conversions_is_not_asked():
    plain = make_adapter("plain", PlainPlugin())
    assert plain.kinds == tuple(EventKind)
    assert plain.build(sample_event(), {})
    assert plain.build(sample_event(ConversionKind.PURCHASE), {}) == ()


def test_a_plugin_is_asked_about_the_kinds_that_it_names():
    adapter = asked({ConversionKind.PURCHASE, ConversionKind.REGISTER})
    assert adapter.kinds == (*EventKind, ConversionKind.REGISTER, ConversionKind.PURCHASE)
    assert adapter.build(sample_event(ConversionKind.PURCHASE), {})
    assert adapter.build(sample_event(ConversionKind.REFUND), {}) == ()


@pytest.mark.parametrize("kinds", [None, 5, "purchase", ["deposit"], [EventKind.WAIT], [[]]])
def test_a_plugin_that_names_something_else_does_not_load(kinds):
    with pytest.raises(AdapterFailed, match="conversion_kinds"):
        asked(kinds)


@pytest.mark.parametrize("names", [None, 5, "ip", ["address"], [["ip"]]])
def test_a_plugin_that_asks_for_fields_that_no_click_has_failed(names):
    class Curious(PlainPlugin):
        @hookimpl
        def touch_fields(self):
            return names

    with pytest.raises(AdapterFailed, match="touch_fields"):
        make_adapter("curious", Curious()).touch_fields({})


def test_the_address_and_the_browser_of_a_person_are_sent_and_not_shown():
    class Telling(PlainPlugin):
        @hookimpl
        def build_request(self, event):
            body = json.dumps(dict(event.touch)).encode()
            return Request("POST", "https://t.example/?a=" + event.touch["ip"], body=body)

    touch = {"ip": "203.0.113.7", "ua": 'Browser/1.0 "é"', "source": "abcd1234"}
    (request,) = make_adapter("telling", Telling()).build(sample_event(touch=touch), {})
    assert json.loads(request.body) == touch
    assert "203.0.113.7" in request.url
    assert "203.0.113.7" not in request.redacted()
    assert "Browser" not in request.redacted()
    assert "abcd1234" in request.redacted()


def test_a_plugin_that_asks_for_nothing_hears_nothing_of_clicks():
    assert make_adapter("plain", PlainPlugin()).touch_fields({}) == frozenset()


def test_a_corrected_value_goes_under_the_same_keys():
    first = sample_event(ConversionKind.PURCHASE)
    again = replace(first, value="60", revision=1)
    assert first.step_key() == again.step_key()


def test_step_keys_of_postbacks_that_were_sent_before_stay_as_they_were():
    assert sample_event(key="1-2-3|4|0").step_key() == "3ac0d60f-bfa3-574e-86c1-ae100ff35b9c"
    assert sample_event(key="1-2-3|4|0").step_key("goal") == "dd564904-8188-5632-bbcf-f4063b5c068f"


def test_without_the_hook_there_is_no_rate_limit():
    assert make_adapter("plain", PlainPlugin()).delivery_policy({}).rate_limit is None
    assert paced(None).delivery_policy({}).rate_limit is None


@pytest.mark.parametrize(
    "wrong",
    [
        60,
        "fast",
        RateLimit(b"key", 60, 1),  # type: ignore[arg-type]
        RateLimit("key", 0, 1),
        RateLimit("key", -1, 1),
        RateLimit("key", float("nan"), 1),
        RateLimit("key", float("inf"), 1),
        RateLimit("key", 1e-300, 1),
        RateLimit("key", True, 1),
        RateLimit("key", 60, 0),
        RateLimit("key", 60, True),
        RateLimit("key", 60, 1.5),  # type: ignore[arg-type]
        RateLimit("key", 60, 10**30),
    ],
)
def test_a_rate_limit_that_cannot_be_followed_is_the_adapters_failure(wrong: Any):
    with pytest.raises(AdapterFailed, match="delivery_policy returned"):
        paced(wrong).delivery_policy({})


def test_a_key_is_not_shown():
    assert "s3cret" not in repr(RateLimit("s3cret", 60, 1))


def test_adtarget_is_told_as_fast_as_it_says():
    adapter = make_adapter("adtarget_capi", adtarget)
    kept = adapter.check_settings({"key": KEY, "site": "atid_1"})
    assert adapter.delivery_policy(kept).rate_limit == RateLimit(KEY, 300, 50)


@pytest.mark.parametrize(
    ("typed", "per_minute", "burst"),
    [({}, 300, 5), ({"per_second": 20}, 1200, 20), ({"per_second": 0.5}, 30, 1)],
)
def test_altcraft_is_told_as_fast_as_the_customer_says(typed, per_minute, burst):
    adapter = make_adapter("altcraft", altcraft)
    kept = adapter.check_settings({"token": TOKEN, "db_id": 1, "pixel_id": 7, **typed})
    told = adapter.delivery_policy(kept).rate_limit
    assert told is not None
    assert (told.per_minute, told.burst) == (per_minute, burst)


def test_altcraft_settings_of_before_the_limit_keep_the_usual_pace():
    adapter = make_adapter("altcraft", altcraft)
    kept = adapter.check_settings({"token": TOKEN, "db_id": 1, "pixel_id": 7})
    del kept["per_second"]
    told = adapter.delivery_policy(kept).rate_limit
    assert told is not None
    assert told.per_minute == 300


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><html></html>",
        b"\xef\xbb\xbf<!doctype HTML>",
        b"\r\n  <html lang='en'>",
        b"<!-- built by x -->\n<!-- y -->\n<head>",
        b"<BODY bgcolor=white>",
        b"<div>Login</div>",
        b"<script>location='/login'</script>",
        b"<?xml version='1.0'?><html>",
        b"<!--" + b"x" * 600 + b"--><html>",
        b"<!---->" * 500 + b"<html>",
        b"<!--" * 900,
    ],
)
def test_a_page_of_html_is_no_success(body: bytes):
    response = Response(200, {"content-type": "text/plain"}, body)
    assert response.unreadable
    outcome = outcome_by_status(response)
    assert outcome.verdict is Verdict.REJECTED
    assert "check the address" in outcome.reason


@pytest.mark.parametrize(
    "body",
    [
        b"", b"OK", b"1", b"<html-like>", b'{"html":"<html>"}', b"<?xml version='1.0'?><ok/>",
        b"<!---->" * 500 + b"x",
    ],
)  # fmt: skip
def test_a_short_answer_is_a_success_whatever_it_calls_itself(body: bytes):
    """PHP calls every answer text/html that does not say otherwise."""
    response = Response(200, {"content-type": "text/html; charset=UTF-8"}, body)
    assert response.unreadable == ""
    assert outcome_by_status(response).verdict is Verdict.DELIVERED


def test_an_answer_in_a_coding_that_was_not_undone_is_no_success():
    response = Response(200, {"content-encoding": "zstd"}, b"")
    assert outcome_by_status(response).verdict is Verdict.REJECTED
    assert outcome_by_status(Response(500, {"content-encoding": "zstd"})).verdict is Verdict.RETRY


def test_a_byte_order_mark_is_no_part_of_an_answer():
    response = Response(200, {}, b'\xef\xbb\xbf{"status":"error"}')
    assert response.text == '{"status":"error"}'
    assert response.json() == {"status": "error"}
