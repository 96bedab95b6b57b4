"""What the document says of answers is what the application gives, no more and no less."""

from typing import Any

import jsonschema_rs
import pytest
from marshmallow import Schema, fields, validate

from app.web.openapi.responses import (
    CLICK,
    FILE_UPLOAD,
    FLAG,
    FORM_FIELD,
    NUMBER,
    PRESET,
    TEXT,
    TRACKER,
    listing,
    record,
)
from plugins.host import catalogue, settings_form


class Form(Schema):
    """One field of every type that a form knows."""

    flag = fields.Boolean(load_default=True)
    number = fields.Integer(load_default=5, metadata={"title": "A number", "help": "Any."})
    object = fields.Nested(Schema.from_dict({"inside": fields.String()}))
    map = fields.Dict(keys=fields.String(validate=validate.OneOf(["a"])))
    list = fields.List(fields.String())
    text = fields.String(required=True, metadata={"secret": True})
    value = fields.Raw()


def fits(schema: dict[str, Any], value: object) -> bool:
    return jsonschema_rs.validator_for(schema).is_valid(value)


def test_a_record_has_exactly_its_members_but_for_the_optional_ones():
    schema = record({"note": TEXT}, count=NUMBER, done=FLAG)
    whole = {"count": 1, "done": True}
    assert fits(schema, whole)
    assert fits(schema, {**whole, "note": "x"})
    for wrong in ({"count": 1}, {**whole, "more": 1}, {**whole, "note": 5}, {**whole, "count": ""}):
        assert not fits(schema, wrong)


def test_a_listing_holds_any_number_of_one_kind():
    assert fits(listing(TEXT), [])
    assert fits(listing(TEXT), ["a", "b"])
    assert not fits(listing(TEXT), ["a", 1])


def test_a_field_of_every_type_is_as_the_document_says():
    for field in settings_form.fields_of(Form()):
        assert field["type"] == field["name"]
        assert fits(FORM_FIELD, field), field
        assert not fits(FORM_FIELD, {**field, "surprise": 1})


@pytest.mark.parametrize("preset", catalogue.listed(), ids=lambda preset: preset["key"])
def test_a_preset_is_as_the_document_says(preset):
    assert fits(PRESET, preset)
    assert fits(CLICK, preset["click"])
    assert not fits(PRESET, {name: value for name, value in preset.items() if name != "modes"})


def test_every_tracker_of_the_list_is_as_the_document_says(api):
    trackers = api.get("trackers/list")["data"]
    assert trackers
    for tracker in trackers:
        assert fits(TRACKER, tracker), tracker["key"]


def test_an_upload_needs_its_file_and_may_have_more():
    (schema,) = FILE_UPLOAD.values()
    assert fits(schema, {"file": "bytes", "other": 1})
    assert not fits(schema, {"other": 1})
