"""Which requests tell AdTarget of an event, and under which keys."""

from dataclasses import replace
from typing import Any

import pytest

from plugins.contract import ConversionKind, EventKind
from plugins.registry import make_adapter
from plugins.testing import sample_event
from plugins.trackers.adtarget import adapter
from plugins.trackers.adtarget.steps import VISIT_STEPS, build_steps

ADAPTER = make_adapter("adtarget_capi", adapter)
KEY = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"


def names(event: Any, **more: Any) -> list[str]:
    kept = ADAPTER.check_settings({"key": KEY, "site": "atid_1", **more})
    return [step.step for step in build_steps(event, kept)]


def build(event: Any) -> tuple[Any, ...]:
    return build_steps(event, ADAPTER.check_settings({"key": KEY, "site": "atid_1"}))


def visited(kind: Any = EventKind.APPROVE, **touch: str) -> Any:
    event = sample_event(kind)
    return replace(event, touch={**event.touch, "how": "link", **touch})


def test_the_first_event_of_a_lead_brings_the_visit_and_no_later_one_does():
    assert names(visited(), send_visit=True) == [*VISIT_STEPS, ""]
    assert names(replace(visited(), sequence=2), send_visit=True) == [""]
    assert names(visited(ConversionKind.REGISTER), send_visit=True) == [""]
    assert names(visited()) == [""]


@pytest.mark.parametrize(
    ("touch", "steps"),
    [
        ({"landing": ""}, []),
        ({"fbp": "made up"}, ["visit", "invite"]),
        ({"how": "start"}, ["visit", "fbp"]),
        ({"how": "request"}, ["visit", "fbp", "invite"]),
    ],
)
def test_a_visit_is_told_as_far_as_it_is_known(touch, steps):
    assert names(visited(**touch), send_visit=True) == [*steps, ""]


def test_a_corrected_value_is_a_step_of_its_own_for_as_long_as_the_key_is_known():
    event = sample_event(ConversionKind.PURCHASE, revision=2)
    assert names(event) == ["", "value2"]
    assert names(replace(event, now=event.time + 24 * 3600)) == []


@pytest.mark.parametrize("revision", [0, 3])
def test_a_value_goes_to_the_number_of_an_earlier_report_however_late_and_repeats_nothing(revision):
    event = sample_event(ConversionKind.PURCHASE, revision=revision, earlier={"conversion": "j97x"})
    late = replace(event, now=event.time + 20 * 86_400)
    kept = ADAPTER.check_settings(
        {"key": KEY, "site": "atid_1", "empty_purchase": "zero", "currency": "EUR"}
    )
    (value,) = build_steps(late, kept)
    assert value.url.endswith("/leads/987654321/conversions/j97x/value")
    assert value.step == (f"value{revision}" if revision else "value")
    assert build_steps(replace(late, value="", currency=""), kept) == ()


def test_a_correction_that_a_person_sends_again_is_no_other_conversion():
    """Its value goes out anew; AdTarget answers the conversion's key with what it stored."""
    event = sample_event(ConversionKind.PURCHASE, value="60", revision=1, key="e1|3|0")
    again = replace(event, key="e1|3|2")
    (first, first_value), (second, second_value) = (build(one) for one in (event, again))
    assert first.idempotency_key == second.idempotency_key
    assert first_value.idempotency_key != second_value.idempotency_key


def test_a_conversion_that_a_person_sends_again_is_told_anew():
    event = sample_event(ConversionKind.PURCHASE, value="60", key="e1|3|0")
    keys = {build(one)[0].idempotency_key for one in (event, replace(event, key="e1|3|1"))}
    assert len(keys) == 2
