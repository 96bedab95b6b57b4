"""An event survives its way through a postback."""

import dataclasses
import json

import pytest

from app.domain.attribution import NO_ORIGIN, How, Origin
from app.domain.events import (
    CannotDeserialize,
    deserialize,
    earlier_of,
    origin_of,
    serialize,
    shown,
    update_of,
    without_click,
)
from plugins.contract import EventKind
from plugins.testing import sample_event


@pytest.mark.parametrize("kind", EventKind)
def test_an_event_comes_back_as_it_was_stored(kind):
    event = sample_event(kind, first_name="Élodie", title='"x" & y')
    again = deserialize(serialize(event), 7, 0, now=event.now, touch=event.touch)
    assert again == dataclasses.replace(event, key=again.key, tries=0)


def test_of_a_touch_only_its_origin_is_stored():
    origin = Origin(How.LINK, 5, 6)
    text = serialize(sample_event(), origin)
    assert "touch" not in json.loads(text)
    assert origin_of(text) == origin
    assert shown(text) == json.loads(serialize(sample_event()))
    assert deserialize(text, 7, 0, now=1) == deserialize(serialize(sample_event()), 7, 0, now=1)


def test_the_update_that_brought_it_is_stored_if_asked_and_shown_to_nobody():
    text = serialize(sample_event(), update=(5, 77))
    assert update_of(text) == (5, 77)
    assert shown(text) == json.loads(serialize(sample_event()))
    assert deserialize(text, 7, 0, now=1) == deserialize(serialize(sample_event()), 7, 0, now=1)
    assert update_of(serialize(sample_event(first_name='"touch":'))) is None


def test_it_stands_in_a_field_that_a_release_without_traces_fills_in_itself():
    plain, traced = serialize(sample_event()), serialize(sample_event(), update=(5, 77))
    assert set(json.loads(traced)) - set(json.loads(plain)) == {"touch"}


@pytest.mark.parametrize("text", ["", '{"touch":', '{"touch":5}', '{"touch":["a",1]}'])
def test_an_update_that_cannot_be_read_is_none(text):
    assert update_of(text) is None


def test_what_an_earlier_report_left_is_stored_for_adapters_and_hidden_from_people():
    text = serialize(sample_event(earlier={"number": "j97x"}))
    assert earlier_of(text) == deserialize(text, 7, 0, now=1).earlier == {"number": "j97x"}
    plain = json.loads(serialize(sample_event()))
    assert shown(text) == without_click(json.loads(text)) == plain
    assert set(json.loads(text)) - set(plain) == {"state"}  # which older releases fill in
    assert [dict(earlier_of(text)) for text in ("", "[]", "{}")] == [{}, {}, {}]


@pytest.mark.parametrize("text", ["", "{", '{"origin":', '{"origin":5}', '{"origin":[99,1,2]}'])
def test_an_origin_that_cannot_be_read_is_none(text):
    assert origin_of(text) == NO_ORIGIN


def test_an_event_without_its_click_keeps_how_and_from_which_source():
    fields = json.loads(serialize(sample_event(), Origin(How.LINK, 5, 6)))
    assert origin_of(json.dumps(without_click(fields), separators=(",", ":"))) == (2, 5, None)
    assert without_click({"id": "1"}) == {"id": "1"}


def test_a_try_brings_its_own_time_number_and_values():
    text = serialize(sample_event())
    assert not {"key", "now", "tries", "state", "touch"} & json.loads(text).keys()
    event = deserialize(text, 7, 0, now=1234, tries=2, state='{"id": "5f"}')
    assert (event.now, event.tries) == (1234, 2)


def test_the_key_tells_destinations_and_occurrences_apart_but_not_tries():
    text = serialize(sample_event())
    keys = {deserialize(text, place, number, now=1).key for place in (1, 2) for number in (0, 1)}
    assert len(keys) == 4
    assert deserialize(text, 1, 0, now=1).key == deserialize(text, 1, 0, now=99, tries=5).key


def test_rows_of_an_older_version_take_defaults_for_fields_they_do_not_know():
    old = {"id": "1", "kind": "wait", "time": 1, "lead": 1, "account": 1, "campaign": "c",
           "chat": 1, "subscriber": 1}  # fmt: skip
    event = deserialize(json.dumps(old), 1, 0, now=1)
    assert (event.click, event.sequence, event.joined) == ("", 1, None)


WHOLE = json.loads(serialize(sample_event()))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        json.dumps({**WHOLE, "kind": "bought"}),
        json.dumps({**WHOLE, "time": None}),
        json.dumps({**WHOLE, "of_a_newer_version": 1}),
        json.dumps({name: value for name, value in WHOLE.items() if name != "id"}),
        json.dumps({name: value for name, value in WHOLE.items() if name != "chat"}),
    ],
)
def test_what_is_no_event_of_this_version_is_refused_by_name(text):
    with pytest.raises(CannotDeserialize):
        deserialize(text, 1, 0, now=1)


def test_a_state_that_is_no_json_is_refused_by_name():
    with pytest.raises(CannotDeserialize):
        deserialize(json.dumps(WHOLE), 1, 0, now=1, state="{")
