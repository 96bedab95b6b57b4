"""The signed webhook over HTTP: what arrives is what was signed."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.sandbox.serving import running
from app.sandbox.tracker import TrackerDouble
from plugins import webhook
from plugins.contract import Event, EventKind, Outcome, Verdict
from plugins.registry import make_adapter
from plugins.testing import sample_event

from .conftest import Courier

ADAPTER = make_adapter("webhook", webhook)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OLD = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()


@pytest.fixture
def receiver() -> TrackerDouble:
    return TrackerDouble()


@pytest.fixture
def base(receiver: TrackerDouble) -> Iterator[str]:
    with running(receiver) as url:
        yield url


@pytest.fixture
def tell(courier: Courier):
    """Send an event with settings, and say what the answer means."""

    def told(event: Event, settings: dict[str, Any]) -> Outcome:
        (outcome,) = courier(ADAPTER, event, settings)
        return outcome

    return told


def settled(url: str, **more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({"url": url, "secret": SECRET, **more})


def test_each_event_arrives_and_verifies_under_both_secrets(receiver, base, tell):
    settings = settled(f"{base}/hook?a=1", previous_secret=OLD)
    for kind in EventKind:
        event = sample_event(kind, title="Ёж \ud800", now=int(time.time()))
        assert tell(event, settings).verdict is Verdict.DELIVERED
    for hit, kind in zip(receiver.log(), EventKind, strict=True):
        for secret in (SECRET, OLD):
            said = Webhook(secret).verify(hit.body, dict(hit.headers))
            assert said["type"] == f"lead.{kind}"
        assert hit.headers["content-type"] == "application/json"


def test_a_retry_has_the_same_id_and_body_and_a_fresh_signature(receiver, base, tell):
    settings = settled(f"{base}/flaky/1/hook")
    now = int(time.time())
    outcomes = [tell(sample_event(now=moment), settings) for moment in (now - 299, now)]
    assert [one.verdict for one in outcomes] == [Verdict.RETRY, Verdict.DELIVERED]
    first, second = receiver.log()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    Webhook(SECRET).verify(second.body, dict(second.headers))


@pytest.mark.parametrize(
    ("path", "verdict", "stop"),
    [
        ("gone", Verdict.REJECTED, True),
        ("status/404", Verdict.RETRY, False),
        ("redirect", Verdict.RETRY, False),
        ("slow-down?seconds=9", Verdict.RETRY, False),
        ("status/202", Verdict.DELIVERED, False),
    ],
)
def test_the_receivers_status_decides(base, path, verdict, stop, tell):
    outcome = tell(sample_event(), settled(f"{base}/{path}"))
    assert (outcome.verdict, outcome.stop) == (verdict, stop)
