"""What AdTarget is told of a click, a conversion and a late value."""

import uuid
from typing import Any

import pytest

from plugins.contract import ConversionKind, EventKind
from plugins.registry import make_adapter
from plugins.testing import sample_event
from plugins.trackers.adtarget import adapter, bodies
from plugins.trackers.adtarget.settings import OFF

ADAPTER = make_adapter("adtarget_capi", adapter)
KEY = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"


def settings(**more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({"key": KEY, "site": "atid_1", **more})


@pytest.mark.parametrize(
    ("choice", "currency", "expected"),
    [("wait", "EUR", OFF), ("zero", "EUR", "Purchase"), ("zero", "", OFF)],
)
def test_a_purchase_without_a_value_becomes_what_its_owner_chose(choice, currency, expected):
    event = sample_event(ConversionKind.PURCHASE, value="", currency="")
    kept = settings(empty_purchase=choice, currency=currency)
    assert bodies.conversion_type(event, kept) == expected


def test_one_click_has_one_visitor_whatever_is_told_of_it():
    joined, started = sample_event(), sample_event(EventKind.WAIT)
    assert bodies.visitor(joined) == bodies.visitor(started)
    assert str(uuid.UUID(bodies.visitor(joined))) == bodies.visitor(joined)
    other = sample_event(touch={"click_token": "z" * 16})
    assert bodies.visitor(other) != bodies.visitor(joined)


def test_a_visit_without_a_page_before_it_names_none():
    event = sample_event(touch={"landing": "https://shop.example/", "click_token": "z" * 16})
    assert set(bodies.visit(event)) == {"href", "landingPage", "tempId", "externalUserId"}


def test_a_value_has_its_currency():
    event = sample_event(ConversionKind.REFUND)
    assert bodies.value(event) == {"value": -49.5, "currency": "USD"}
