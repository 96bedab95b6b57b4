"""The conformance suite, and what this tracker does that no other does."""

# ruff: noqa: S101  # these are tests

import json

import gatepost_example_tracker
import pytest
from gatepost_plugins.contract import EventKind, Response, Verdict
from gatepost_plugins.registry import make_adapter
from gatepost_plugins.testing import AdapterContract, sample_event

ADAPTER = make_adapter("example_tracker", gatepost_example_tracker)
SETTINGS = {"address": "https://tracker.example", "token": "abcd1234"}


class TestContract(AdapterContract):
    """Everything Gatepost relies on."""

    adapter = ADAPTER
    example_settings = SETTINGS
    success_sample = Response(200, {}, b'{"ok": true}')
    failure_sample = Response(200, {}, b'{"error": "key"}')


def test_a_join_is_told_as_a_sale() -> None:
    """Their words, not ours."""
    (request,) = ADAPTER.build(sample_event(EventKind.APPROVE), SETTINGS)
    assert request.url == "https://tracker.example/v1/conversions"
    assert json.loads(request.body)["status"] == "sale"


def test_they_have_no_word_for_trash() -> None:
    """Nothing is sent."""
    assert ADAPTER.build(sample_event(EventKind.TRASH), SETTINGS) == ()


@pytest.mark.parametrize(
    ("body", "verdict", "stop"),
    [
        (b'{"ok": true}', Verdict.DELIVERED, False),
        (b'{"error": "duplicate"}', Verdict.DUPLICATE, False),
        (b'{"error": "busy"}', Verdict.RETRY, False),
        (b'{"error": "click"}', Verdict.REJECTED, False),
        (b'{"error": "key"}', Verdict.RETRY, True),
        (b'{"error": ["new", 7]}', Verdict.REJECTED, False),
    ],
)
def test_the_body_decides(body: bytes, verdict: Verdict, *, stop: bool) -> None:
    """All of these come with status 200."""
    event = sample_event()
    (request,) = ADAPTER.build(event, SETTINGS)
    outcome = ADAPTER.classify(Response(200, {}, body), request, event, SETTINGS)
    assert (outcome.verdict, outcome.disable_destination) == (verdict, stop)
