"""The built-in adapter for any tracker that takes a postback by URL."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest
from marshmallow import ValidationError

from plugins.contract import EventKind, Response, Verdict
from plugins.registry import Adapter, Registry
from plugins.testing import AdapterContract, sample_event

ADAPTER: Adapter = Registry.load(entry_points=()).get("url_template")


def settings(url: str = "", **more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({"urls": {"approve": url}, **more})


class TestByGet(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        "urls": {
            kind.value: "https://t.example/{campaign}/{title}/pb?c={click}&s={status}&u={username}"
            for kind in EventKind
            if kind is not EventKind.TRASH
        }
    }
    success_sample = Response(200, {}, b"ok")


class TestByForm(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        "urls": {"approve": "https://t.example/"},
        "method": "POST",
        "body": "form",
        "payload": {"click": "{click}", "status": "{status}", "token": "sekret-token"},
        "headers": {"X-Title": "{title}", "Authorization": "Bearer abcdef"},
    }
    success_sample = Response(204)


class TestByJson(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        **TestByForm.example_settings,
        "body": "json",
        "deliver_if": '"ok": true',
        "reject_if": "error",
    }
    success_sample = Response(200, {}, b'{"ok": true}')


def test_an_empty_template_sends_nothing():
    event = sample_event(EventKind.WAIT)
    assert ADAPTER.build(event, settings("https://t.example/")) == ()


def test_the_five_urls_alone_are_enough():
    kept = {"urls": {"approve": "https://t.example/?c={click}"}, "method": "GET"}
    (request,) = ADAPTER.build(sample_event(), kept)
    assert request.url == "https://t.example/?c=Click_1-2"
    assert request.method == "GET"
    assert request.idempotency_key == sample_event().step_key()


def test_json_carries_the_values_as_they_are():
    kept = settings("https://t.example/", method="POST", body="json", payload={"t": "<{title}>"})
    (request,) = ADAPTER.build(sample_event(title='a"b\nЖ'), kept)
    assert json.loads(request.body) == {"t": '<a"b\nЖ>'}
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://t.example/", "http"),
        ("t.example/pb", "http"),
        ("{click}", "http"),
        ("https://{domain}/pb", "{domain}"),
        ("https://t.example:{lead}/", "{lead}"),
        ("https://me:word@t.example/", "user name"),
        ("https:///pb", "no domain"),
        ("https://t.example:70000/", "port"),
        ("https://t.example\\@evil.example/", "user name"),
        ("https://t example/", "characters"),
        ("https://t.example/\nx", "control"),
        ("https://t.example/" + "a" * 2048, "longer"),
    ],
)
def test_an_unusable_url_is_refused_in_words(url: str, word: str):
    with pytest.raises(ValidationError) as caught:
        settings(url)
    messages = caught.value.messages
    assert isinstance(messages, dict)
    assert word in messages["urls"]["approve"][0]


def test_a_body_needs_the_method_post():
    with pytest.raises(ValidationError):
        settings("https://t.example/", body="json")
    with pytest.raises(ValidationError):
        settings("https://t.example/", method="POST", payload={"a": "b"})


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, b"", Verdict.DELIVERED),
        (200, b"OK", Verdict.DELIVERED),
        (200, b'{"status":"ok","id":5}', Verdict.DELIVERED),
        (200, b'{"status":"error","error":"key"}', Verdict.REJECTED),
        (200, b'{"status":"error","error":"db"}', Verdict.RETRY),
        (200, b'{"success":false,"message":"no such click"}', Verdict.REJECTED),
        (200, b"Click ID not found in database.", Verdict.REJECTED),
        (302, b"", Verdict.REJECTED),
        (404, b"", Verdict.REJECTED),
        (429, b"", Verdict.RETRY),
        (502, b"<html>", Verdict.RETRY),
    ],
)
def test_answers_are_judged_by_status_and_body(status: int, body: bytes, verdict: Verdict):
    kept = settings("https://t.example/")
    (request,) = ADAPTER.build(sample_event(), kept)
    assert (
        ADAPTER.classify(Response(status, {}, body), request, sample_event(), kept).verdict
        is verdict
    )


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"SUCCESS 1", Verdict.DELIVERED),
        (b'{"status":"error"} success', Verdict.DELIVERED),
        (b"nothing", Verdict.REJECTED),
        (b"success but DENIED", Verdict.REJECTED),
    ],
)
def test_the_owner_may_say_what_an_answer_must_contain(body: bytes, verdict: Verdict):
    kept = settings("https://t.example/", deliver_if="success", reject_if="denied")
    (request,) = ADAPTER.build(sample_event(), kept)
    assert (
        ADAPTER.classify(Response(200, {}, body), request, sample_event(), kept).verdict is verdict
    )


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://k.example/0d6b0f1/postback?subid={click}", "0d6b0f1"),
        ("https://k.example/a1B2c3D4e5F6a7B8c9/pb", "a1B2c3D4e5F6a7B8c9"),
        ("https://k.example/postbacks/8f14e45f-ceea-467f-a0e6-b2b1c3d4e5f6/x", "8f14e45f-ceea"),
        ("https://a.example/api?id=42-abcdef99&click={click}", "42-abcdef99"),
        ("https://a.example/?token=s3cr%2Bet&c={click}", "s3cr%2Bet"),
        ("https://a.example/?c={click}&api_key=abcd", "abcd"),
        ("https://a.example/?access_token=abcd#f", "abcd"),
        ("https://a.example/?secure=ключ", "%D0%BA"),
    ],
)
def test_keys_written_into_a_url_are_masked(url: str, secret: str):
    (request,) = ADAPTER.build(sample_event(), settings(url))
    assert secret in request.url
    assert secret not in request.redacted()


def test_ordinary_parameters_are_shown():
    url = "https://a.example/postback?id={click}&status={status}&pid=77&key={lead}"
    (request,) = ADAPTER.build(sample_event(), settings(url))
    assert request.secrets == ()


def test_keys_in_fields_and_headers_are_masked():
    (request,) = ADAPTER.build(
        sample_event(),
        settings(
            "https://a.example/",
            method="POST",
            body="form",
            payload={"token": "s3+cret"},
            headers={"Authorization": "Bearer ab+cd", "X-Api-Key": "ef+gh"},
        ),
    )
    shown = request.redacted()
    assert b"s3%2Bcret" in request.body
    assert not [word for word in ("s3%2Bcret", "ab+cd", "ef+gh") if word in shown]
    assert "Bearer ***" in shown


@pytest.mark.parametrize(
    "payload",
    [
        {"a": ["list"]},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": {"b": {"c": {"d": {"e": 1}}}}},
        {"a": "x" * 1025},
        {str(number): 1 for number in range(65)},
        {"a": {str(number): 1 for number in range(65)}},
        {"a": "{username|number}"},
        {"a": "id {lead|number}"},
        {"": "a"},
    ],
    ids=lambda payload: str(payload)[:30],
)
def test_a_payload_that_cannot_be_sent_is_refused(payload: dict[str, Any]):
    with pytest.raises(ValidationError) as caught:
        settings("https://t.example/", method="POST", body="json", payload=payload)
    assert "payload" in caught.value.normalized_messages()


def test_a_form_carries_texts_only():
    with pytest.raises(ValidationError) as caught:
        settings("https://t.example/", method="POST", body="form", payload={"a": 1})
    assert "payload" in caught.value.normalized_messages()
