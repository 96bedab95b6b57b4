"""No tracker's adapter takes for a success what states a failure or cannot be read."""

import codecs
from typing import Any

import pytest

from app.sandbox.vendors import catalogue
from plugins.contract import EventKind, Response
from plugins.host.adapter import Adapter
from plugins.registry import Registry
from plugins.testing import sample_event
from tests.plugins.kit.test_failures import FAILURES
from tests.plugins.trackers.url_template.test_presets import ALL, settings

KNOWN = Registry.load(entry_points=())
TEMPLATES = KNOWN.get("url_template")
#: Pages, failing programs and what nobody can read.
UNREADABLE = (
    "<h1>Not Found</h1>", "<html><body>OK</body></html>", "<b>duplicate</b>", "<br>success",
    "<!-- by x --><title>Login</title>", "<form action='/login'>", "<table>", "\n\n<p>ok",
    "Notice: x in /a.php on line 3", "<b>Fatal error</b>: x in /a.php on line 3\nOK",
    '{"status":"o', '{"status":"ok","id":', " " * 5000, "\x01\x02OK",
)  # fmt: skip


def connected() -> list[tuple[str, Adapter, dict[str, Any]]]:
    """Every preset, a URL by hand, and every adapter with the settings of its double."""
    by_hand = TEMPLATES.check_settings({"urls": {"approve": "https://t.example/?c={click}"}})
    others = [
        (vendor.tracker, KNOWN.get(vendor.tracker), vendor.settings("https://t.example"))
        for vendor in catalogue.every()
        if vendor.tracker != "url_template"
    ]
    for _, _, raw in others:
        raw.update({"domain": "t.example"} if "domain" in raw else {})
    return [
        *((key, TEMPLATES, settings(key)) for key in ALL),
        ("by hand", TEMPLATES, by_hand),
        *((name, adapter, adapter.check_settings(raw)) for name, adapter, raw in others),
    ]


CONNECTED = connected()
#: A customer's own server tells by its status alone (Standard Webhooks).
BY_BODY = [row for row in CONNECTED if row[0] != "webhook"]
EACH = pytest.mark.parametrize(
    ("adapter", "kept"), [row[1:] for row in CONNECTED], ids=[row[0] for row in CONNECTED]
)
EACH_BY_BODY = pytest.mark.parametrize(
    ("adapter", "kept"), [row[1:] for row in BY_BODY], ids=[row[0] for row in BY_BODY]
)


def judged(adapter: Adapter, kept: dict[str, Any], response: Response) -> Any:
    event = sample_event(EventKind.APPROVE)
    request = adapter.build(event, kept)[0]
    return adapter.classify(response, request, event, kept)


@EACH_BY_BODY
def test_what_cannot_be_read_is_no_success(adapter: Adapter, kept: dict[str, Any]):
    for status in (200, 201, 202):
        for text in UNREADABLE:
            for body in (text.encode(), codecs.BOM_UTF8 + text.encode(), text.encode("utf-16")):
                outcome = judged(adapter, kept, Response(status, {}, body))
                assert not outcome.verdict.is_success, (status, text)
                assert outcome.reason


@EACH_BY_BODY
def test_a_stated_failure_is_no_success(adapter: Adapter, kept: dict[str, Any]):
    for content_type in ("text/html; charset=utf-8", "application/json"):
        for text in FAILURES:
            response = Response(200, {"content-type": content_type}, text.encode())
            assert not judged(adapter, kept, response).verdict.is_success, text


@EACH
def test_a_challenge_is_no_success(adapter: Adapter, kept: dict[str, Any]):
    for status in (200, 202, 403, 503):
        response = Response(status, {"cf-mitigated": "challenge"}, b"OK")
        assert not judged(adapter, kept, response).verdict.is_success
