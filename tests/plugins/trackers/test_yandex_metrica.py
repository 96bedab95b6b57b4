"""Metrica's dialect: a file of one row, and a status that means what it says."""

import csv
import io
import json
from email import message_from_bytes
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugins.contract import EventKind, Response, Verdict
from plugins.registry import make_adapter
from plugins.testing import AdapterContract, sample_event
from plugins.trackers import yandex_metrica

ADAPTER = make_adapter("yandex_metrica", yandex_metrica)
TYPED: dict[str, Any] = {"counter": "2215573", "access_token": "y0_secret-token"}
TAKEN = Response(200, {}, b'{"uploading":{"id":7,"line_quantity":1,"status":"UPLOADED"}}')


class TestMetrica(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {**TYPED, "click_type": "UserId"}
    success_sample = TAKEN


class TestMetricaWithEverything(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        **TYPED,
        "click_type": "UserId",
        "events": {kind.value: f"goal {kind.value}" for kind in EventKind},
        "values": {"approve": 2.5},
        "currency": "RUB",
    }
    success_sample = TAKEN


def built(
    click: str = "133591247640966458",
    kind: EventKind = EventKind.APPROVE,
    touch: dict[str, str] | None = None,
    **typed: Any,
):
    settings = ADAPTER.check_settings({**TYPED, **typed})
    event = sample_event(kind, click=click, time=1_481_718_166, touch=touch or {})
    return ADAPTER.build(event, settings)


def mime(request: Any) -> bytes:
    return f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode() + request.body


def file_of(request: Any) -> str:
    return request.body.decode().partition("\r\n\r\n")[2].partition("\r\n--")[0]


def judged(status: int, body: Any, **headers: str):
    settings = ADAPTER.check_settings(TYPED)
    (request,) = built()
    answer = Response(
        status, headers, body if isinstance(body, bytes) else json.dumps(body).encode()
    )
    return ADAPTER.classify(answer, request, sample_event(touch={}), settings)


def test_an_event_is_a_file_of_one_row():
    (request,) = built()
    assert request.url == (
        "https://api-metrika.yandex.net/management/v1/counter/2215573/offline_conversions/upload"
    )
    assert request.headers["Authorization"] == "OAuth y0_secret-token"
    assert "y0_secret-token" not in request.redacted()
    assert file_of(request) == (
        "ClientId,Target,DateTime\n133591247640966458,telegram_join,1481718166\n"
    )
    boundary = request.headers["Content-Type"].partition("boundary=")[2]
    assert request.body.startswith(f"--{boundary}\r\n".encode())
    assert request.body.endswith(f"--{boundary}--\r\n".encode())


def test_a_value_comes_with_its_currency():
    (request,) = built(values={"approve": 123.4}, currency="RUB", click_type="Yclid")
    assert file_of(request) == (
        "Yclid,Target,DateTime,Price,Currency\n"
        "133591247640966458,telegram_join,1481718166,123.40,RUB\n"
    )


def test_an_event_without_a_goal_is_not_told():
    assert built(kind=EventKind.TRASH) == ()
    (request,) = built(kind=EventKind.TRASH, events={"trash": "telegram_kick"})
    assert "telegram_kick" in file_of(request)


@pytest.mark.parametrize("column", ["ClientId", "Yclid"])
@pytest.mark.parametrize("click", ["", "abc", "1" * 21, "12\n34", "١٢"])
def test_what_is_no_id_of_metrica_is_not_told(column: str, click: str):
    assert built(click, click_type=column) == ()


@given(st.text(max_size=70), st.sampled_from(["ClientId", "Yclid", "UserId"]))
def test_no_click_adds_a_row_or_a_column(click: str, column: str):
    for request in built(click, click_type=column):
        head, row = csv.reader(io.StringIO(file_of(request), newline=""), strict=True)
        assert head == [column, "Target", "DateTime"]
        assert row[1:] == ["telegram_join", "1481718166"]
        assert len(message_from_bytes(mime(request)).get_payload()) == 1


@pytest.mark.parametrize(
    ("status", "body", "verdict", "stop"),
    [
        (200, {"uploading": {"id": 1, "line_quantity": 1}}, Verdict.DELIVERED, False),
        (200, {"uploading": {"id": 1}}, Verdict.DELIVERED, False),
        (200, {"uploading": {"id": 1, "line_quantity": 0}}, Verdict.REJECTED, False),
        (200, b"<html>Sign in</html>", Verdict.RETRY, False),
        (400, {"code": 400, "message": "Wrong columns"}, Verdict.REJECTED, False),
        (401, {"code": 401, "message": "Invalid oauth_token"}, Verdict.RETRY, True),
        (403, {"code": 403, "message": "Access is denied"}, Verdict.RETRY, True),
        (404, {"code": 404, "message": "Entity not found"}, Verdict.RETRY, True),
        (420, {"code": 420, "message": "Quota exceeded"}, Verdict.RETRY, False),
        (429, {"code": 429, "message": "Quota exceeded"}, Verdict.RETRY, False),
        (503, {"code": 503, "message": "backend_error"}, Verdict.RETRY, False),
    ],
)
def test_answers_mean_what_the_vendor_says(status: int, body: Any, verdict: Verdict, stop: bool):
    outcome = judged(status, body)
    assert (outcome.verdict, outcome.disable_destination) == (verdict, stop)
    if isinstance(body, dict) and "message" in body:
        assert body["message"] in outcome.reason


def test_a_wait_that_is_asked_for_is_kept():
    assert judged(429, {}, **{"retry-after": "60"}).retry_after == 60


def test_the_probe_reads_uploads_and_changes_nothing():
    settings = ADAPTER.check_settings(TYPED)
    request = ADAPTER.probe(settings, 1_790_000_000)
    assert request is not None
    assert (request.method, request.url.rpartition("/")[2]) == ("GET", "uploadings?limit=1")
    good = Response(200, {}, b'{"uploadings":[]}')
    assert ADAPTER.classify_probe(good, settings).verdict.is_success
    for bad in (Response(200, {}, b"{}"), Response(403, {}, b"{}"), Response(500, {}, b"")):
        assert not ADAPTER.classify_probe(bad, settings).verdict.is_success


def test_the_pace_is_that_of_the_token_and_stays_inside_the_days_quota():
    pace = ADAPTER.delivery_policy(ADAPTER.check_settings(TYPED)).rate_limit
    assert pace is not None
    assert pace.key == "y0_secret-token"
    assert pace.burst + pace.per_minute * 24 * 60 <= 5000


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"counter": "22 15"}, "counter"),
        ({"counter": "../1"}, "counter"),
        ({"access_token": "a b c d e f"}, "access_token"),
        ({"values": {"approve": 5}}, "currency"),
        ({"click_type": "fbclid"}, "click_type"),
        ({"base_url": "http://metrica.example"}, "base_url"),
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any], field: str):
    with pytest.raises(ValidationError) as caught:
        ADAPTER.check_settings({**TYPED, **wrong})
    assert field in caught.value.normalized_messages()


DOOR = {"source": "abcd1234", "click_token": "a1B2c3D4e5F6g7H8"}


@pytest.mark.parametrize(
    ("known", "column", "value"),
    [
        ({"ym_uid": "1690000000123456789", "yclid": "900"}, "ClientId", "1690000000123456789"),
        ({"yclid": "900"}, "Yclid", "900"),
        ({"ym_uid": "not a number", "yclid": "900"}, "Yclid", "900"),
    ],
)
@pytest.mark.parametrize("click_type", ["ClientId", "Yclid"])
def test_a_visit_is_found_by_what_the_click_brought(known, column, value, click_type):
    (request,) = built("777", touch={**DOOR, **known}, click_type=click_type)
    assert file_of(request).startswith(f"{column},Target,DateTime\n{value},")


def test_the_click_id_of_our_own_door_is_no_id_of_metrica():
    assert built("777", touch=DOOR) == ()
    assert built(DOOR["click_token"], touch=DOOR, click_type="UserId") == ()
    (request,) = built("user-7", touch={**DOOR, "yclid": "900"}, click_type="UserId")
    assert file_of(request).startswith("UserId,Target,DateTime\nuser-7,")


def test_nothing_of_the_click_is_asked_for_without_the_switch():
    settings = ADAPTER.check_settings({**TYPED, "send_click": False})
    assert ADAPTER.touch_fields(settings) == {"source", "click_token"}
    assert {"ym_uid", "yclid"} < ADAPTER.touch_fields(ADAPTER.check_settings(TYPED))
