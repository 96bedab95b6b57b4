"""The built-in adapter for any tracker that takes a postback by URL."""

import json
from dataclasses import replace
from typing import Any, ClassVar

import pytest

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
    ("status", "body", "verdict"),
    [
        (200, b"", Verdict.DELIVERED),
        (200, b"OK", Verdict.DELIVERED),
        (200, b'{"status":"ok","id":5}', Verdict.DELIVERED),
        (200, b'{"status":"error","error":"key"}', Verdict.REJECTED),
        (200, b'{"status":"error","error":"db"}', Verdict.RETRY),
        (200, b'{"success":false,"message":"no such click"}', Verdict.REJECTED),
        (200, b'[{"status":"error"}]', Verdict.REJECTED),
        (200, b'{"status":"ok"}\n{"status":"Failed"}', Verdict.REJECTED),
        (200, b'{"ok":false} <!-- 0.1 s -->', Verdict.REJECTED),
        (200, b'[{"status":"ok"}]', Verdict.DELIVERED),
        (200, '{"status":"error"}'.encode("utf-16"), Verdict.REJECTED),
        (200, "Click ID not found in database.".encode("utf-16"), Verdict.REJECTED),
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
    ("body", "is_silent"),
    [(b"0", True), (b"{}", True), (b'{"id":5}', True), (b"", False), (b"OK", False), (b"7", False)],
)
def test_a_success_that_says_nothing_counts_and_says_so(body: bytes, is_silent: bool):
    kept = settings("https://t.example/")
    (request,) = ADAPTER.build(sample_event(), kept)
    outcome = ADAPTER.classify(Response(200, {}, body), request, sample_event(), kept)
    assert outcome.verdict is Verdict.DELIVERED
    assert ("does not say that the event was taken" in outcome.reason) is is_silent
    kept = settings("https://t.example/", deliver_if="5")
    outcome = ADAPTER.classify(Response(200, {}, b'{"id":5}'), request, sample_event(), kept)
    assert outcome.reason == "the answer contains '5'"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"SUCCESS 1", Verdict.DELIVERED),
        (b'{"status":"error"} success', Verdict.REJECTED),
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
    ("deliver_if", "body", "verdict"),
    [
        ("OK", "Invalid token", Verdict.REJECTED),
        ("OK", '{"status":"error","message":"invalid token"}', Verdict.REJECTED),
        ("OK", "<script>document.cookie</script>", Verdict.REJECTED),
        ("OK", "<b>OK</b>", Verdict.REJECTED),
        ("<b>ok</b>", "<b>OK</b>", Verdict.DELIVERED),
        ("OK", "ok", Verdict.DELIVERED),
        ("OK", "1:OK_5", Verdict.DELIVERED),
        ("success", '{"success":false,"id":1}', Verdict.REJECTED),
        ("success", "Unsuccessful", Verdict.REJECTED),
        ("recorded", "not recorded", Verdict.REJECTED),
        ("recorded", "Conversion recorded.", Verdict.DELIVERED),
        ("id=", "id=5", Verdict.DELIVERED),
        ("принят", "непринят", Verdict.REJECTED),
        ("Error log saved", "Error log saved: 5", Verdict.DELIVERED),
        ("already known", '{"error":"already known"}', Verdict.DELIVERED),
        ('"error":"known"', '{"error":"known"}', Verdict.DELIVERED),
        ("click id not found", "Click ID not found", Verdict.DELIVERED),
    ],
)
def test_the_owners_word_makes_no_success_of_a_failure_that_it_does_not_name(
    deliver_if: str, body: str, verdict: Verdict
):
    kept = settings("https://t.example/", deliver_if=deliver_if)
    (request,) = ADAPTER.build(sample_event(), kept)
    outcome = ADAPTER.classify(Response(200, {}, body.encode()), request, sample_event(), kept)
    assert outcome.verdict is verdict
    assert outcome.reason


def test_a_key_written_into_a_url_is_masked():
    url = "https://k.example/0d6b0f1/postback?subid={click}"
    (request,) = ADAPTER.build(sample_event(), settings(url))
    assert "0d6b0f1" in request.url
    assert "0d6b0f1" not in request.redacted()


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


@pytest.mark.parametrize("body", [b"", b"missing subid", b"missing status"])
def test_what_a_preset_says_stays_whole_whatever_the_keys_are(body: bytes):
    fields = {"domain": "t.example", "postback_key": "given"}
    kept = ADAPTER.check_settings({"preset": "keitaro", "fields": fields})
    (request,) = ADAPTER.build(sample_event(), kept)
    plain = replace(request, secrets=())
    keyed = replace(request, secrets=("given", "reco", "tracker did"))
    shown, expected = (
        ADAPTER.classify(Response(200, {}, body), one, sample_event(), kept).reason
        for one in (keyed, plain)
    )
    assert shown == expected
