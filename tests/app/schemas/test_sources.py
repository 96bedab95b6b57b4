"""What sources/* takes, and how a source is shown."""

import pytest
from marshmallow import ValidationError

from app.schemas.sources import SourceAdd, SourceEdit, SourceOut


def test_a_new_source_needs_a_campaign_and_a_title():
    with pytest.raises(ValidationError) as caught:
        SourceAdd().load({})
    assert set(caught.value.messages_dict) == {"campaign", "title"}


@pytest.mark.parametrize(
    "value", [{"creative": "sub1"}, '{"creative": "sub1"}'], ids=["object", "text"]
)
def test_a_map_of_subs_is_an_object_or_its_text(value):
    assert SourceEdit().load({"id": 1, "sub_map": value})["sub_map"] == {"creative": "sub1"}


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("title", "x" * 64, "x" * 65),
        ("click_param", "sub_id.1-A", "a b"),
        ("click_param", "x" * 64, "x" * 65),
        ("sub_map", {}, "[]"),
        ("sub_map", {"a": "sub1"}, {"a": 1}),
        ("sub_map", {"a": "sub1"}, "\ud83d"),
    ],
)
def test_each_setting_has_its_bound(field, good, bad):
    SourceEdit().load({"id": 1, field: good})
    with pytest.raises(ValidationError) as caught:
        SourceEdit().load({"id": 1, field: bad})
    assert list(caught.value.messages_dict) == [field]


def test_the_stored_text_of_a_map_is_shown_as_an_object():
    assert SourceOut().dump({"sub_map": '{"a":"sub1"}'}) == {"sub_map": {"a": "sub1"}}
