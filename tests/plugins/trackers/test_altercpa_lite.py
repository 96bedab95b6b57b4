"""The built-in adapter for AlterCPA Lite."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugins.contract import EventKind, Outcome, Response, Verdict
from plugins.host.adapter import Adapter
from plugins.registry import Registry
from plugins.testing import AdapterContract, sample_event
from plugins.trackers import altercpa_lite

ADAPTER: Adapter = Registry.load(entry_points=()).get("altercpa_lite")
TEMPLATES: Adapter = Registry.load(entry_points=()).get("url_template")
TYPED = {"domain": "www.altercpa.red", "key": "42-d3adb33f"}


def settings(**typed: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({**TYPED, **typed})


def outcome(status: int, body: bytes) -> Outcome:
    (request,) = ADAPTER.build(sample_event(), settings())
    return ADAPTER.classify(Response(status, {}, body), request, sample_event(), settings())


class TestAltercpaLite(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = TYPED
    success_sample = Response(200, {}, b'{"status":"ok"}')


@pytest.mark.parametrize(
    ("kind", "status"),
    [("wait", "new"), ("hold", "hold"), ("approve", "approve"), ("cancel", "cancel"),
     ("trash", "trash")],
)  # fmt: skip
def test_each_event_is_told_in_the_trackers_own_word(kind: str, status: str):
    (request,) = ADAPTER.build(sample_event(EventKind(kind)), settings())
    address = "https://www.altercpa.red/api/tracker/postback.json"
    assert request.method == "GET"
    assert request.url == f"{address}?id=42-d3adb33f&click=Click_1-2&uid=12&status={status}"
    assert "d3adb33f" not in request.redacted()


def test_a_lead_without_a_click_is_not_told():
    assert ADAPTER.build(sample_event(click=""), settings()) == ()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("www.altercpa.red", "www.altercpa.red"),
        (" WWW.AlterCPA.Red ", "www.altercpa.red"),
        ("tracker.lan:8080", "tracker.lan:8080"),
        ("10.0.0.7:81", "10.0.0.7:81"),
        ("трекер.example", "xn--e1aaowdh.example"),
    ],
)
def test_a_domain_may_carry_a_port(typed: str, kept: str):
    assert settings(domain=typed)["domain"] == kept


@pytest.mark.parametrize(
    ("domain", "word"),
    [
        ("https://www.altercpa.red", "without http://"),
        ("www.altercpa.red/api", "'/'"),
        ("www.altercpa.red?x", "'?'"),
        ("www.altercpa.red#x", "'#'"),
        ("me@www.altercpa.red", "user name"),
        ("me:word@www.altercpa.red", "user name"),
        ("www.altercpa.red\\x", "alone"),
        ("www.altercpa.red:70000", "port"),
        ("www.altercpa.red:", "port"),
        ("{click}.example", "{click}"),
        ("", "no domain"),
        ("a b", "alone"),
        ("a" * 256, "255"),
    ],
)
def test_anything_but_a_domain_is_refused_in_words(domain: str, word: str):
    with pytest.raises(ValidationError) as caught:
        settings(domain=domain)
    assert word in caught.value.messages_dict["domain"][0]


@pytest.mark.parametrize("key", ["", "a b", "42-\n", "ключ", "4" * 129, None])
def test_a_key_that_cannot_be_one_is_refused(key: Any):
    with pytest.raises(ValidationError) as caught:
        settings(key=key)
    assert list(caught.value.messages_dict) == ["key"]


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=128))
def test_no_key_leaves_its_parameter(key: str):
    (request,) = ADAPTER.build(sample_event(), settings(key=key))
    assert request.url.startswith("https://www.altercpa.red/api/tracker/postback.json?id=")
    assert request.url.endswith("&click=Click_1-2&uid=12&status=approve")
    assert request.url.count("&") == 3


@pytest.mark.parametrize(
    ("status", "body", "verdict", "stop"),
    [
        (200, b'{"status":"ok"}', Verdict.DELIVERED, False),
        (200, b'\xef\xbb\xbf {"status": "ok", "id": 5}', Verdict.DELIVERED, False),
        (200, b'{"id": 5}', Verdict.DELIVERED, False),
        (200, b"", Verdict.DELIVERED, False),
        (200, b"OK", Verdict.DELIVERED, False),
        (200, b'{"status":"error","error":"key"}', Verdict.RETRY, True),
        (200, b'{"status":"error","error":"ban"}', Verdict.RETRY, True),
        (200, b'{"status":"error","error":"unpaid"}', Verdict.RETRY, True),
        (200, b'{"status":"error","error":"db"}', Verdict.RETRY, False),
        (200, b'{"status":"error","error":"click"}', Verdict.REJECTED, False),
        (200, b'{"status":"error"}', Verdict.REJECTED, False),
        (200, b'{"error":{"a":1}}', Verdict.REJECTED, False),
        (200, b"<html>maintenance</html>", Verdict.RETRY, False),
        (200, b'{"status":"o', Verdict.RETRY, False),
        (200, b'[{"status":"o', Verdict.RETRY, False),
        (200, b"[]", Verdict.DELIVERED, False),
        (502, b'{"status":"ok"}', Verdict.RETRY, False),
        (404, b"", Verdict.REJECTED, False),
        (401, b"<html>Unauthorized</html>", Verdict.RETRY, True),
    ],
)
def test_the_json_decides(status: int, body: bytes, verdict: Verdict, stop: bool):
    read = outcome(status, body)
    assert (read.verdict, read.stop) == (verdict, stop)


def test_an_error_is_told_with_its_code():
    assert outcome(200, b'{"status":"error","error":"noclick"}').reason.endswith("noclick")


def test_the_probe_asks_for_the_status_with_the_key():
    request = ADAPTER.probe(settings())
    assert request is not None
    assert request.url == "https://www.altercpa.red/api/tracker/status.json?id=42-d3adb33f"
    assert "d3adb33f" not in request.redacted()


@pytest.mark.parametrize(
    ("status", "body", "good"),
    [
        (200, b'{"status":"ok"}', True),
        (200, b'{"status":"ok","data":{}}', True),
        (200, b'{"status":"error","error":"key"}', False),
        (200, b"OK", False),
        (200, b"", False),
        (200, b"<html>", False),
        (404, b'{"status":"ok"}', False),
    ],
)
def test_only_an_altercpa_answers_the_probe_well(status: int, body: bytes, good: bool):
    answer = ADAPTER.classify_probe(Response(status, {}, body), settings())
    assert answer.verdict.is_success is good


@pytest.mark.parametrize("path", ["track", "tracker"])
def test_a_template_that_leads_to_an_altercpa_is_answered_by_one(path: str):
    url = f"https://a.example/api/{path}/postback.json?id=7-x.y&click={{click}}"
    kept = TEMPLATES.check_settings({"urls": {"approve": url}})
    (request,) = TEMPLATES.build(sample_event(), kept)
    assert "7-x.y" not in request.redacted()

    def read(body: bytes) -> Outcome:
        return TEMPLATES.classify(Response(200, {}, body), request, sample_event(), kept)

    assert read(b'{"status":"ok"}').verdict is Verdict.DELIVERED
    assert read(b"<html>").verdict is Verdict.RETRY
    revoked = read(b'{"status":"error","error":"key"}')
    assert (revoked.verdict, revoked.stop) == (Verdict.RETRY, False)


def test_the_templates_say_what_the_adapter_says():
    kept = settings(key="42-a{b}&c")
    urls = {kind.value: altercpa_lite.postback_template(kind, kept) for kind in EventKind}
    checked = TEMPLATES.check_settings({"urls": urls})
    for kind in EventKind:
        (one,) = ADAPTER.build(sample_event(kind), kept)
        (other,) = TEMPLATES.build(sample_event(kind), checked)
        assert one.url == other.url
        assert "a%7Bb" not in other.redacted()
