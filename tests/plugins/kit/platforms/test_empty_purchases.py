"""A purchase whose value nobody knows yet waits, or is sent with 0 where its owner says so."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.contract import ConversionKind, EventKind
from plugins.kit.ad_platforms import event_name, event_value
from plugins.kit.platforms.empty_purchases import is_empty_purchase, sends_zero
from plugins.testing import sample_event

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
