"""What the conversion APIs of ad platforms share, and Meta and TikTok by it."""

import hashlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugins.contract import EventKind, Response, Verdict
from plugins.host.adapter import Adapter
from plugins.kit.ad_platforms import (
    event_name,
    event_value,
    external_ids,
    normalized_hash,
)
from plugins.registry import make_adapter
from plugins.testing import sample_event
from plugins.trackers import meta_capi, tiktok_events

META = {"pixel_id": "123456789012345", "access_token": "EAAB+secret/token"}
TIKTOK = {"pixel_code": "COQDA8RC77U2TMR44LI0", "access_token": "tt-secret-token"}

both = pytest.mark.parametrize(
    ("adapter", "typed"),
    [
        (make_adapter("meta_capi", meta_capi), META),
        (make_adapter("tiktok_events", tiktok_events), TIKTOK),
    ],
    ids=["meta", "tiktok"],
)


@given(st.text())
@example(" Ann ")
@example("\ud800")
def test_a_hash_is_of_the_text_in_lower_case_without_space_around(text):
    plain = text.lower().strip()
    assert normalized_hash(text) == normalized_hash(f"  {text.strip()}\t")
    assert normalized_hash(normalized_hash(text)) == normalized_hash(text)
    if len(plain) not in (0, 32, 64):
        assert normalized_hash(text) == hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


@both
def test_an_event_without_a_name_is_not_sent(adapter: Adapter, typed: dict[str, Any]):
    settings = adapter.check_settings({**typed, "events": {"wait": ""}})
    assert adapter.build(sample_event(EventKind.WAIT), settings) == ()
    assert len(adapter.build(sample_event(EventKind.HOLD), settings)) == 1


@both
def test_a_try_has_the_same_event_id_whenever_it_is_made(adapter: Adapter, typed: dict[str, Any]):
    settings = adapter.check_settings(typed)
    one, other = (adapter.build(sample_event(now=now, tries=now), settings) for now in (1, 2))
    assert one == other


@both
def test_retries_end_while_a_repetition_is_still_recognised(
    adapter: Adapter, typed: dict[str, Any]
):
    settings = adapter.check_settings(typed)
    span = adapter.delivery_policy(settings).retry_window
    assert span
    assert span < 48 * 3600
    assert adapter.delivery_policy(settings).send_superseded


@both
@pytest.mark.parametrize(
    ("status", "verdict", "stop", "wait"),
    [
        (401, Verdict.RETRY, True, None),
        (404, Verdict.REJECTED, False, None),
        (429, Verdict.RETRY, False, 90),
        (502, Verdict.RETRY, False, 90),
        (200, Verdict.RETRY, False, None),
    ],
)
def test_what_the_platform_did_not_say_is_judged_by_status(  # noqa: PLR0917
    adapter: Adapter, typed: dict[str, Any], status: int, verdict: Verdict, stop: bool, wait: Any
):
    settings = adapter.check_settings(typed)
    (request,) = adapter.build(sample_event(), settings)
    answer = Response(status, {"retry-after": "90"}, b"<html>")
    outcome = adapter.classify(answer, request, sample_event(), settings)
    assert (outcome.verdict, outcome.disable_destination, outcome.retry_after) == (
        verdict,
        stop,
        wait,
    )
    assert outcome.reason


@both
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("access_token", {"access_token": "two words here"}),
        ("access_token", {"access_token": "short"}),
        ("currency", {"currency": "euro"}),
        ("currency", {"values": {"approve": 1}}),
        ("values", {"values": {"approve": -1}, "currency": "EUR"}),
        ("events", {"events": {"approve": "x" * 51}}),
        ("events", {"events": {"aprove": "Lead"}}),
        ("click_type", {"click_type": "gclid"}),
        ("test_event_code", {"test_event_code": "x" * 65}),
        ("base_url", {"base_url": "api.example"}),
        ("base_url", {"base_url": "https://a.example/?x"}),
    ],
)
def test_a_wrong_setting_is_named(
    adapter: Adapter, typed: dict[str, Any], field: str, wrong: dict[str, Any]
):
    with pytest.raises(ValidationError) as caught:
        adapter.check_settings({**typed, **wrong})
    assert field in caught.value.normalized_messages()


SPOKEN = {
    "events": {"approve": "Subscribe", "wait": ""},
    "values": {"approve": 1.5, "hold": None},
    "currency": "EUR",
    "click_type": "external_id",
}


def test_an_event_has_the_customers_name_and_value():
    assert event_name(sample_event(), SPOKEN) == "Subscribe"
    assert event_name(sample_event(EventKind.WAIT), SPOKEN) == ""
    assert event_value(sample_event(), SPOKEN) == {"value": 1.5, "currency": "EUR"}
    assert event_value(sample_event(EventKind.HOLD), SPOKEN) == {}


def test_a_click_is_an_id_of_the_person_only_if_the_customer_says_so():
    event = sample_event(click="Mine", subscriber=7)
    assert external_ids(event, SPOKEN) == [normalized_hash("7"), normalized_hash("mine")]
    assert external_ids(event, {**SPOKEN, "click_type": "nothing"}) == [normalized_hash("7")]
