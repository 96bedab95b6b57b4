"""The built-in adapter for AlterCPA Lite."""

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


@pytest.mark.parametrize("kind", [EventKind.WAIT, EventKind.HOLD])
def test_a_start_of_a_person_who_is_in_takes_no_approval_back(kind: EventKind):
    assert ADAPTER.build(sample_event(kind, joined=1_789_999_000), settings()) == ()


@pytest.mark.parametrize("domain", ["https://www.altercpa.red", "a" * 256, "", None])
def test_anything_but_a_domain_is_refused(domain: Any):
    with pytest.raises(ValidationError) as caught:
        settings(domain=domain)
    assert list(caught.value.messages_dict) == ["domain"]


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
    ("body", "verdict", "stop"),
    [
        (b'{"status":"ok"}', Verdict.DELIVERED, False),
        (b'{"status":"error","error":"key"}', Verdict.RETRY, True),
        (b'{"status":"error","error":"click"}', Verdict.REJECTED, False),
    ],
)
def test_answers_are_read_as_altercpas(body: bytes, verdict: Verdict, stop: bool):
    answer = outcome(200, body)
    assert (answer.verdict, answer.disable_destination) == (verdict, stop)


def test_the_probe_asks_for_the_status_with_the_key():
    request = ADAPTER.probe(settings(), 1_790_000_000)
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
    assert (revoked.verdict, revoked.disable_destination) == (Verdict.RETRY, False)


def test_the_templates_say_what_the_adapter_says():
    kept = settings(key="42-a{b}&c")
    urls = {kind.value: altercpa_lite.postback_template(kind, kept) for kind in EventKind}
    checked = TEMPLATES.check_settings({"urls": urls})
    for kind in EventKind:
        (one,) = ADAPTER.build(sample_event(kind), kept)
        (other,) = TEMPLATES.build(sample_event(kind), checked)
        assert one.url == other.url
        assert "a%7Bb" not in other.redacted()
