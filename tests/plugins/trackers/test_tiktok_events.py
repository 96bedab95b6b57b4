"""TikTok's dialect: 200 says nothing, `code` decides."""

import functools
import hashlib
import json
from typing import Any, ClassVar

import pytest
from marshmallow import ValidationError

from plugins import samples
from plugins.contract import ConversionKind, Event, EventKind, Response, Verdict
from plugins.registry import make_adapter
from plugins.testing import AdapterContract
from plugins.trackers import tiktok_events
from tests.support import adapters

ADAPTER = make_adapter("tiktok_events", tiktok_events)
TYPED: dict[str, Any] = {"pixel_code": "COQDA8RC77U2TMR44LI0", "access_token": "tt-secret-token"}
TAKEN = Response(200, {}, b'{"code":0,"message":"OK","data":{}}')


class TestTiktok(AdapterContract):
    adapter = ADAPTER
    example_settings = TYPED
    success_sample = TAKEN


class TestTiktokWithEverything(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        **TYPED,
        "values": {"approve": 2.5},
        "currency": "EUR",
        "click_type": "external_id",
        "page_url": "https://landing.example/?x=1",
        "test_event_code": "TEST1",
    }
    success_sample = TAKEN


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sample_event(kind: EventKind | ConversionKind = EventKind.APPROVE, **changes: Any) -> Event:
    """A sample of somebody whose click id stood in a start link; with `touch` of another."""
    return samples.sample_event(kind, **{"touch": {}, **changes})


def body(event: Event, **typed: Any) -> dict[str, Any]:
    (request,) = ADAPTER.build(event, ADAPTER.check_settings({**TYPED, **typed}))
    return json.loads(request.body)


judged = functools.partial(adapters.judged, ADAPTER, TYPED)


def test_the_token_is_a_header_and_is_masked():
    (request,) = ADAPTER.build(sample_event(), ADAPTER.check_settings(TYPED))
    assert request.url == "https://business-api.tiktok.com/open_api/v1.3/event/track/"
    assert request.headers["Access-Token"] == "tt-secret-token"
    assert "tt-secret-token" not in request.redacted()


def test_an_event_is_told_as_tiktok_wants_it():
    event = sample_event(click="E.C.P.AbC", subscriber=42)
    assert body(event, page_url="https://landing.example/") == {
        "event_source": "web",
        "event_source_id": "COQDA8RC77U2TMR44LI0",
        "data": [
            {
                "event": "Subscribe",
                "event_time": event.time,
                "event_id": event.id,
                "user": {"external_id": [sha256("42")], "ttclid": "E.C.P.AbC"},
                "page": {"url": "https://landing.example/"},
            }
        ],
    }


@pytest.mark.parametrize(("kind", "name"), tiktok_events.NAMES.items())
def test_each_event_has_its_name(kind, name):
    assert body(sample_event(kind))["data"][0]["event"] == name


def test_a_click_of_our_own_is_one_more_hashed_id():
    payload = body(sample_event(click=" Mine ", subscriber=42), click_type="external_id")
    assert payload["data"][0]["user"] == {"external_id": [sha256("42"), sha256("mine")]}


def test_a_value_and_a_test_code_are_told_where_they_belong():
    payload = body(sample_event(), values={"approve": 3}, currency="USD", test_event_code="TEST9")
    assert payload["data"][0]["properties"] == {"value": 3.0, "currency": "USD"}
    assert payload["test_event_code"] == "TEST9"


@pytest.mark.parametrize(
    ("status", "answer", "verdict", "stop"),
    [
        (200, {"code": 40002, "message": "m"}, Verdict.REJECTED, False),
        (200, {"code": 40001, "message": "m"}, Verdict.RETRY, True),
        (200, {"code": 40105, "message": "m"}, Verdict.RETRY, True),
        (200, {"code": 40100, "message": "m"}, Verdict.RETRY, False),
        (200, {"code": 50000, "message": "m"}, Verdict.RETRY, False),
        (200, {"code": 60001, "message": "m"}, Verdict.RETRY, False),
        (200, {"code": 41000, "message": "m"}, Verdict.REJECTED, False),
        (503, {"code": 41000, "message": "m"}, Verdict.RETRY, False),
        (401, {"code": 40105, "message": "m"}, Verdict.RETRY, True),
        (200, {"code": True}, Verdict.RETRY, False),
        (200, {"code": "0"}, Verdict.RETRY, False),
    ],
)
def test_tiktoks_answers_are_read_by_their_code(status, answer, verdict, stop):
    outcome = judged(status, answer)
    assert (outcome.verdict, outcome.disable_destination) == (verdict, stop)
    assert outcome.reason


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("pixel_code", {"pixel_code": "no-pixel"}),
        ("page_url", {"page_url": "landing.example"}),
    ],
)
def test_a_wrong_setting_is_named(field, wrong):
    with pytest.raises(ValidationError) as caught:
        ADAPTER.check_settings({**TYPED, **wrong})
    assert field in caught.value.normalized_messages()


def test_what_is_older_than_28_days_is_not_worth_building():
    assert ADAPTER.delivery_policy(ADAPTER.check_settings(TYPED)).max_event_age == 28 * 86400


@pytest.mark.parametrize(
    ("code", "verdict", "stop"),
    [
        (40001, Verdict.RETRY, True),
        (40002, Verdict.REJECTED, False),
        (40100, Verdict.RETRY, False),
        *[(code, Verdict.RETRY, True) for code in range(40101, 40106)],
        (40133, Verdict.RETRY, False),
    ],
)
def test_every_code_of_the_vendors_table_is_known(code: int, verdict: Verdict, stop: bool):
    answer = Response(200, {}, b'{"code": %d, "message": "so they say"}' % code)
    outcome = tiktok_events.classify_response(answer, sample_event())
    assert (outcome.verdict, outcome.disable_destination) == (verdict, stop)


def test_a_purchase_is_told_with_its_own_money():
    (told,) = body(sample_event(ConversionKind.PURCHASE))["data"]
    assert told["event"] == "Purchase"
    assert told["properties"] == {"value": 49.5, "currency": "USD"}


VISIT = {
    "source": "abcd1234", "landing": "https://shop.example/tea", "referrer": "m.tiktok.com/x",
    "ip": "203.0.113.7", "ua": "Mozilla/5.0", "ttclid": "E.C.P.AbC", "ttp": "2Xyz",
}  # fmt: skip


def test_what_is_known_of_the_click_is_told_as_tiktok_wants_it():
    (said,) = body(sample_event(click="external-7", subscriber=42, touch=VISIT))["data"]
    assert said["user"] == {
        "external_id": [sha256("42")],
        "ttclid": "E.C.P.AbC",
        "ttp": "2Xyz",
        "ip": "203.0.113.7",
        "user_agent": "Mozilla/5.0",
    }
    assert said["page"] == {
        "url": "https://shop.example/tea",
        "referrer": "https://m.tiktok.com/x",
    }


def test_a_token_of_our_own_door_is_no_ttclid_and_no_address_is_left_out():
    touch = {"source": "abcd1234", "ip": "unknown"}
    (said,) = body(sample_event(subscriber=42, touch=touch), page_url="https://l.example/")["data"]
    assert said["user"] == {"external_id": [sha256("42")]}
    assert said["page"] == {"url": "https://l.example/"}


def test_nothing_of_the_click_is_asked_for_without_the_switch():
    settings = ADAPTER.check_settings({**TYPED, "send_click": False})
    assert ADAPTER.touch_fields(settings) == {"source"}
    assert {"ttclid", "ttp", "ip", "ua"} < ADAPTER.touch_fields(ADAPTER.check_settings(TYPED))
