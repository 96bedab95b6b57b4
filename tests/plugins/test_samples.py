"""Sample events have every field that their kind may have."""

import dataclasses

import pytest

from plugins.contract import ALL_KINDS, TOUCH_FIELDS, ConversionKind, EventKind
from plugins.kit.platforms.meta_ids import is_fbc, is_fbp
from plugins.samples import NOW, sample_event


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_field_is_filled_that_a_kind_may_have(kind):
    event = sample_event(kind)
    none = {"state", "revision", "earlier", "tries", "sequence"}
    if not isinstance(kind, ConversionKind):
        none |= {"value", "currency", "name"}
    if kind in (EventKind.WAIT, EventKind.HOLD):
        none |= {"joined"}
    empty = {field.name for field in dataclasses.fields(event) if not getattr(event, field.name)}
    assert empty <= none
    assert event.now == NOW


def test_a_refund_takes_back_and_changes_are_taken_over():
    assert sample_event(ConversionKind.REFUND).value.startswith("-")
    assert sample_event(click="mine").click == "mine"


def test_every_field_of_the_click_is_known_and_meta_s_ids_are_spelled_as_meta_does():
    touch = sample_event().touch
    assert list(touch) == list(TOUCH_FIELDS)
    assert is_fbc(touch["fbc"])
    assert is_fbp(touch["fbp"])
    assert touch["fbc"].endswith(touch["fbclid"])
