"""The signed webhook, read by the library that receivers use."""

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from plugins.contract import TOUCH_FIELDS, ConversionKind, EventKind, Request, Response, Verdict
from plugins.registry import make_adapter
from plugins.testing import AdapterContract, sample_event
from plugins.trackers import signed_webhook
from tests.support import ROOT

ADAPTER = make_adapter("webhook", signed_webhook)
DOCUMENT = (ROOT / "docs" / "webhook.md").read_text()
OLD = "whsec_" + base64.b64encode(b"an old secret of thirty-two byte").decode()
NEW = "whsec_" + base64.b64encode(b"+/a new secret of 32 bytes \xff\xfe\xfd!!").decode()
TYPED: dict[str, Any] = {"url": "https://my.example/hook?token=abcdef", "secret": NEW}
TWO: dict[str, Any] = {**TYPED, "previous_secret": OLD}


class TestWebhook(AdapterContract):
    adapter = ADAPTER
    example_settings = TYPED
    success_sample = Response(204)


class TestWebhookWithTwoSecrets(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {**TWO, "events": ["approve", "cancel"]}
    success_sample = Response(200, {}, b"whatever")


def built(typed: dict[str, Any] = TYPED, **event: Any) -> Request:
    event = {"now": int(time.time()), **event}
    (request,) = ADAPTER.build(sample_event(**event), ADAPTER.check_settings(typed))
    return request


def test_a_receivers_library_accepts_what_we_sign():
    request = built()
    payload = Webhook(NEW).verify(request.body, dict(request.headers))
    assert payload["type"] == "lead.approve"
    assert payload["data"]["id"] == "018f-sample-event"


@given(title=st.text(), click=st.text(), kind=st.sampled_from(EventKind))
def test_whatever_people_are_called_the_signature_holds(title, click, kind):
    request = built(kind=kind, title=title, click=click)
    assert Webhook(NEW).verify(request.body, dict(request.headers))["type"] == f"lead.{kind}"


def test_while_a_secret_is_replaced_both_sign():
    request = built(TWO)
    headers = dict(request.headers)
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert Webhook(OLD).verify(request.body, headers)
    assert Webhook(NEW).verify(request.body, headers)


def test_a_replaced_secret_signs_no_more():
    request = built(TYPED)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(request.body, dict(request.headers))


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_what_was_tampered_with_is_noticed(header):
    request = built()
    headers = dict(request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(request.body.replace(b"approve", b"cancel"), headers)
    changed = {
        "webhook-id": "another",
        "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1),
        "webhook-signature": "v1,AAAA" + headers["webhook-signature"][7:],
    }
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(request.body, headers | {header: changed[header]})


def test_a_try_that_is_replayed_later_is_refused():
    request = built(now=int(time.time()) - 301)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(NEW).verify(request.body, dict(request.headers))


@given(body=st.text(), now=st.integers(0, 2**33), key=st.uuids().map(str))
def test_we_sign_as_their_library_signs(body, now, key):
    body = body.encode("utf-8", "replace").decode()
    theirs = Webhook(NEW).sign(key, datetime.fromtimestamp(now, UTC), body)
    assert signed_webhook.sign(NEW, key, now, body.encode()) == theirs


def test_a_retry_differs_in_its_time_and_signature_only():
    first, second = built(now=1_790_000_000), built(now=1_790_000_600)
    changing = ("webhook-timestamp", "webhook-signature")
    assert all(first.headers[name] != second.headers[name] for name in changing)
    rest = {name: value for name, value in first.headers.items() if name not in changing}
    assert replace(first, headers={}) == replace(second, headers={})
    assert rest.items() <= second.headers.items()
    assert first.headers["webhook-id"] == first.idempotency_key
    assert "." not in first.idempotency_key


def test_the_body_tells_the_event():
    payload = json.loads(built(time=1_790_000_000, joined=None).body)
    assert payload["timestamp"] == "2026-09-21T14:13:20Z"
    assert payload["data"]["status"] == "approve"
    assert payload["data"]["subscriber"] == 987654321
    assert payload["data"]["joined"] is None
    assert "key" not in payload["data"]
    assert "account" not in payload["data"]


def test_only_chosen_events_are_sent():
    settings = ADAPTER.check_settings({**TYPED, "events": ["trash"]})
    assert ADAPTER.build(sample_event(EventKind.WAIT), settings) == ()
    assert len(ADAPTER.build(sample_event(EventKind.TRASH), settings)) == 1


def test_a_key_in_the_address_is_masked():
    assert "abcdef" not in built().redacted()


@pytest.mark.parametrize(
    ("status", "verdict", "stop"),
    [
        (200, Verdict.DELIVERED, False),
        (202, Verdict.DELIVERED, False),
        (302, Verdict.RETRY, False),
        (400, Verdict.RETRY, False),
        (401, Verdict.RETRY, True),
        (404, Verdict.RETRY, False),
        (429, Verdict.RETRY, False),
        (502, Verdict.RETRY, False),
        (410, Verdict.REJECTED, True),
    ],
)
def test_everything_but_2xx_is_tried_again_and_410_is_the_end(status, verdict, stop):
    settings = ADAPTER.check_settings(TYPED)
    answer = Response(status, {"retry-after": "7"})
    outcome = ADAPTER.classify(answer, built(), sample_event(), settings)
    assert (outcome.verdict, outcome.disable_destination) == (verdict, stop)
    assert outcome.retry_after == (7 if verdict is Verdict.RETRY and not stop else None)


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"<!doctype html><title>Login</title>", Verdict.REJECTED),
        (b"<form action='/login'>", Verdict.REJECTED),
        (b"", Verdict.DELIVERED),
        (b"Error: whatever", Verdict.DELIVERED),
        (b'{"status":"o', Verdict.DELIVERED),
        (b"\x01\x02", Verdict.DELIVERED),
    ],
)
def test_a_web_page_is_no_receiver(body, verdict):
    settings = ADAPTER.check_settings(TYPED)
    outcome = ADAPTER.classify(Response(200, {}, body), built(), sample_event(), settings)
    assert outcome.verdict is verdict
    assert outcome.reason


def test_a_secret_may_come_without_its_prefix():
    assert ADAPTER.check_settings({**TYPED, "secret": NEW[6:] + "\n"})["secret"] == NEW


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("secret", {"secret": ""}),
        ("secret", {"secret": "whsec_"}),
        ("secret", {"secret": "whsec_not base64"}),
        ("secret", {"secret": "whsec_" + base64.b64encode(b"x" * 23).decode()}),
        ("secret", {"secret": "whsec_" + base64.b64encode(b"x" * 65).decode()}),
        ("previous_secret", {"previous_secret": "short"}),
        ("url", {"url": "https://my.example/{click}"}),
        ("url", {"url": "https://name:word@my.example/"}),
        ("url", {"url": ""}),
        ("events", {"events": []}),
        ("events", {"events": ["deposit"]}),
    ],
)
def test_a_wrong_setting_is_named(field, wrong):
    with pytest.raises(ValidationError) as caught:
        ADAPTER.check_settings({**TYPED, **wrong})
    assert field in caught.value.normalized_messages()


# docs/webhook.md


def documented(number: int) -> dict[str, Any]:
    """What a block of Python in the document defines, with a secret of ours in its place."""
    source = DOCUMENT.split("```python\n")[number].partition("```")[0]
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(source.replace("whsec_…", NEW), names)  # noqa: S102  # our own text
    return names


def test_the_receiver_in_the_document_takes_ours_once_and_no_other():
    receiver = documented(1)
    client, request = receiver["app"].test_client(), built(TWO, click="Ёж")

    def send(body: bytes = request.body, **changed: str) -> int:
        headers = {**request.headers, **changed}
        return client.post("/gatepost", data=body, headers=headers).status_code

    assert [send(), send()] == [204, 204]
    assert [payload["click"] for payload in receiver["seen"].values()] == ["Ёж"]
    assert send(request.body + b" ") == 401
    for wrong in ("", "v1", "v1,AAAA", "nonsense nonsense"):
        assert send(**{"webhook-signature": wrong}) == 401
    assert len(receiver["seen"]) == 1


def test_the_check_by_hand_in_the_document_agrees_with_the_library():
    check = documented(2)["is_from_gatepost"]
    request, old = built(TWO), built(now=int(time.time()) - 301)
    assert check(request.headers, request.body, NEW)
    assert check(request.headers, request.body, OLD)
    assert not check(built().headers, built().body, OLD)
    assert not check(request.headers, request.body + b" ", NEW)
    assert not check(old.headers, old.body, NEW)
    assert not check({}, request.body, NEW)


def test_the_document_tells_every_field_of_the_data():
    section = DOCUMENT.partition("## What arrives")[2].partition("\n## ")[0]
    fields = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    told = json.loads(built(kind=ConversionKind.PURCHASE).body)["data"]
    assert sorted(fields) == sorted(told)


def test_the_document_names_every_setting():
    for name in signed_webhook.WebhookSettings().fields:
        assert f"`{name}`" in DOCUMENT or f'"{name}"' in DOCUMENT


@pytest.mark.parametrize("answer", ["2xx", "410", "401"])
def test_the_document_says_what_the_adapter_does_with_an_answer(answer):
    (row,) = (line for line in DOCUMENT.splitlines() if line.startswith(f"| {answer} |"))
    response = Response(int(answer.replace("xx", "04")))
    outcome = ADAPTER.classify(response, built(), sample_event(), ADAPTER.check_settings(TYPED))
    assert ("switched off" in row) is outcome.disable_destination
    assert ("delivered" in row) is outcome.verdict.is_success
    assert ("rejected" in row) is (outcome.verdict is Verdict.REJECTED)


def test_a_conversion_brings_its_money_and_no_other_event_has_any():
    data = json.loads(built(kind=ConversionKind.REFUND).body)["data"]
    money = {"value": "-49.5", "currency": "USD", "name": "deposit", "revision": 0}
    assert money.items() <= data.items()
    assert data["status"] == "refund"
    assert not money.keys() & json.loads(built().body)["data"].keys()


def test_of_the_click_it_tells_what_was_chosen_and_by_default_nothing_personal():
    usual = ADAPTER.touch_fields(ADAPTER.check_settings(TYPED))
    assert usual == set(TOUCH_FIELDS) - {"ip", "ua"}
    chosen = ADAPTER.check_settings({**TYPED, "touch": ["source", "ip"]})
    assert ADAPTER.touch_fields(chosen) == {"source", "ip"}
    del chosen["touch"]
    assert ADAPTER.touch_fields(chosen) == frozenset()
    told = json.loads(built(touch={"source": "abcd1234"}).body)["data"]
    assert told["touch"] == {"source": "abcd1234"}
    assert "touch" not in json.loads(built(touch={}).body)["data"]
