"""A purchase whose value nobody knows yet waits, or is sent with 0 where its owner says so."""

from typing import Any

import pytest

from plugins.contract import ConversionKind, EventKind
from plugins.kit.ad_platforms import event_name, event_value
from plugins.kit.platforms.empty_purchases import is_empty_purchase, sends_zero
from plugins.testing import sample_event
from tests.plugins.trackers import test_meta_capi, test_tiktok_events

EMPTY = sample_event(ConversionKind.PURCHASE, value="", currency="")
SETTINGS: dict[str, Any] = {"events": {"purchase": "Purchase"}, "values": {}, "currency": "EUR"}


@pytest.mark.parametrize("choice", [{}, {"empty_purchase": "wait"}])
def test_it_waits_unless_something_else_is_chosen(choice):
    assert event_name(EMPTY, {**SETTINGS, **choice}) == ""


def test_it_is_sent_with_0_in_the_currency_of_the_settings():
    settings = {**SETTINGS, "empty_purchase": "zero"}
    assert event_name(EMPTY, settings) == "Purchase"
    assert event_value(EMPTY, settings) == {"value": 0.0, "currency": "EUR"}
    assert not sends_zero({**settings, "currency": ""})


def test_only_a_purchase_can_be_one():
    assert is_empty_purchase(EMPTY)
    assert not is_empty_purchase(sample_event(ConversionKind.PURCHASE))
    assert not is_empty_purchase(sample_event(EventKind.APPROVE))


@pytest.mark.parametrize("tracker", [test_meta_capi, test_tiktok_events])
def test_the_value_of_a_purchase_that_was_sent_with_0_is_told_to_no_platform_again(tracker):
    adapter, taken = tracker.ADAPTER, tracker.TAKEN
    kept = adapter.check_settings({**tracker.TYPED, "empty_purchase": "zero", "currency": "EUR"})
    (request,) = adapter.build(EMPTY, kept)
    outcome = adapter.classify(taken, request, EMPTY, kept)
    later = sample_event(ConversionKind.PURCHASE, earlier=outcome.state)
    assert adapter.build(later, kept) == ()
    known = sample_event(ConversionKind.PURCHASE)
    assert adapter.classify(taken, adapter.build(known, kept)[0], known, kept).state is None
