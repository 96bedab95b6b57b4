"""Settings of any shape are bounded, and events are switched by a list or one by one."""

import contextlib
import itertools
import json
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.models import DestinationStatus, Role
from app.schemas.destinations import (
    LARGEST_SETTINGS,
    LONGEST_SETTING,
    DestinationOut,
    Events,
    Settings,
)
from app.schemas.parsing import MAX_DEPTH
from plugins.contract import ALL_KINDS

_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)

#: No event, one, two, and all.
SUBSETS = [
    *(set(kinds) for size in (0, 1, 2, 9) for kinds in itertools.combinations(ALL_KINDS, size))
]


def nested(depth: int) -> dict:
    value: object = 1
    for _ in range(depth):
        value = {"a": value}
    assert isinstance(value, dict)
    return value


@settings(max_examples=40)
@given(st.dictionaries(_texts, _values, max_size=4))
def test_settings_are_the_same_as_an_object_and_as_its_json_text(typed):
    assert Settings().deserialize(typed) == typed
    assert Settings().deserialize(json.dumps(typed)) == typed


@given(st.text(max_size=30))
def test_any_text_is_settings_or_refused(text):
    with contextlib.suppress(ValidationError):
        assert isinstance(Settings().deserialize(text), dict)


@pytest.mark.parametrize("value", [None, 7, ["a"], "[1]", "no json", '"\ud800"', True])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(ValidationError, match="must"):
        Settings().deserialize(value)


@pytest.mark.parametrize("spelled", [lambda value: value, json.dumps], ids=["object", "text"])
def test_depth_is_bounded_in_both_spellings(spelled):
    assert Settings().deserialize(spelled(nested(MAX_DEPTH - 2)))
    with pytest.raises(ValidationError, match="nested too deeply"):
        Settings().deserialize(spelled(nested(MAX_DEPTH - 1)))


def test_the_whole_is_bounded_and_each_text_in_it():
    just = {"a": "x" * LONGEST_SETTING}
    assert Settings().deserialize(just) == just
    with pytest.raises(ValidationError, match=f"larger than {LARGEST_SETTINGS}"):
        Settings().deserialize({str(number): "x" * LONGEST_SETTING for number in range(8)})


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ({"a": "x" * (LONGEST_SETTING + 1)}, ["a"]),
        ({"a": {"b": ["fine", "\0"]}}, ["a", "b", "1"]),
        ({"a": {"\ud800": 1}}, ["a", "\ufffd"]),
        ({"n" * (LONGEST_SETTING + 1): 1}, ["n" * 64]),
    ],
    ids=["long", "NUL in a list", "half a pair as a name", "a long name"],
)
def test_a_text_that_cannot_be_stored_is_named_by_its_path(typed, path):
    with pytest.raises(ValidationError) as caught:
        Settings().deserialize(typed)
    messages = caught.value.messages
    for name in path:
        messages = messages[name]
    (sentence,) = messages
    assert "longer" in sentence or "stored" in sentence


@pytest.mark.parametrize("kinds", SUBSETS)
def test_a_list_or_a_text_with_commas_names_all_that_are_sent(kinds):
    switches = {kind: kind in kinds for kind in ALL_KINDS}
    assert Events().deserialize([kind.value for kind in kinds]) == switches
    assert Events().deserialize(" , ".join(kinds)) == switches


@pytest.mark.parametrize("kinds", SUBSETS)
@pytest.mark.parametrize("on", [True, False])
def test_an_object_switches_only_what_it_names(kinds, on):
    switches = dict.fromkeys(kinds, on)
    typed = {kind.value: int(on) for kind, on in switches.items()}
    assert Events().deserialize(typed) == Events().deserialize(json.dumps(typed)) == switches


@pytest.mark.parametrize(
    "value",
    [
        "buy",
        ["buy"],
        {"buy": 1},
        '{"buy": 1}',
        "{",
        "{}x",
        [["wait"]],
        {"wait": "on"},
        [None],
        7,
        1.5,
    ],
)
def test_unknown_events_and_switches_are_refused(value):
    with pytest.raises(ValidationError, match=r"must be|knows only wait, hold, approve"):
        Events().deserialize(value)


@pytest.mark.parametrize("kinds", SUBSETS)
def test_stored_bits_are_shown_by_the_names_of_events(kinds):
    bits = sum(1 << index for index, kind in enumerate(ALL_KINDS) if kind in kinds)
    shown = Events().serialize("events", {"events": bits})
    assert shown == {kind.value: kind in kinds for kind in ALL_KINDS}


def test_a_destination_of_the_account_shows_campaign_zero_and_no_secret_column():
    row = SimpleNamespace(
        id=1, tracker="t", title="", role=Role.CONNECTED, campaign_id=None, events=1,
        every_event=False, status=DestinationStatus.PAUSED, reason="", failures=0,
        blocked_until=0.0, created=1, settings='{"key": "s3cret"}', account_id=9,
    )  # fmt: skip
    shown = DestinationOut().dump({"destination": row, "settings": {"key": "***"}})
    assert (shown["campaign"], shown["role"], shown["status"]) == (0, "connected", "paused")
    assert shown["settings"] == {"key": "***"}
    assert "account_id" not in shown
