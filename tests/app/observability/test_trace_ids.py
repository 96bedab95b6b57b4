"""Ids are the same wherever they are derived, and differ wherever they must."""

import json

import pytest

from app.crypto import Cipher
from app.domain import events
from app.observability.trace_ids import of_span, of_update, read_report
from plugins.testing import sample_event


@pytest.fixture(autouse=True)
def _key(app):
    """The cipher has its key."""


def test_an_update_has_one_trace_and_no_other_has_it():
    assert of_update(1, 23) == of_update(1, 23)
    assert len({of_update(1, 23), of_update(12, 3), of_update(2, 23), of_update(1, 24)}) == 4
    assert 0 < of_update(1, 23) < 1 << 128


def test_ids_depend_on_the_key_of_the_installation():
    ours, theirs = Cipher(), Cipher()
    ours.set_key("k" * 32)
    theirs.set_key("o" * 32)
    assert ours.trace_number("update 1 2") != theirs.trace_number("update 1 2")


def test_spans_of_a_trace_are_told_apart_by_all_their_names():
    spans = {of_span(7, "a", 1), of_span(7, "a", "1"), of_span(7, "a1"), of_span(8, "a", 1)}
    assert len(spans) == 4
    assert all(0 < span < 1 << 64 for span in spans)


def test_a_stored_report_leads_to_the_update_that_brought_it():
    report = read_report(events.serialize(sample_event(), update=(5, 77)), 3)
    assert report is not None
    assert (report.trace, report.parent) == (of_update(5, 77), of_span(of_update(5, 77), "decide"))
    other = read_report(events.serialize(sample_event(), update=(5, 77)), 4)
    assert other is not None
    assert other.span != report.span


def test_a_report_of_no_update_has_a_trace_of_its_own():
    report = read_report(events.serialize(sample_event()), 3)
    assert report is not None
    assert report.parent == 0
    assert report.trace != of_update(0, 0)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", json.dumps({"id": 1})])
def test_what_cannot_be_read_has_no_trace(text):
    assert read_report(text, 3) is None
