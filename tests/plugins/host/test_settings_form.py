"""A settings schema as a form sees it."""

import json
from typing import Any

import marshmallow
from marshmallow import fields, validate

from plugins.host.settings_form import fields_of, help_of, texts_of, title_of


class Inner(marshmallow.Schema):
    wait = fields.String()


class Settings(marshmallow.Schema):
    """What you find
    in your profile."""

    title = "My Tracker"

    token = fields.String(required=True, metadata={"title": "Token", "secret": True})
    mode = fields.String(load_default="a", validate=validate.OneOf(["a", "b"]))
    amount = fields.Integer(load_default=None, metadata={"help": 5})
    urls = fields.Nested(Inner, data_key="addresses")
    on = fields.Boolean(load_default=lambda: True)
    scheme = fields.String(metadata={"scheme_of": "host"})
    shown = fields.String(dump_only=True)


def test_the_schema_introduces_the_tracker():
    assert title_of(Settings(), "my_tracker") == "My Tracker"
    assert help_of(Settings()) == "What you find in your profile."
    bare: Any = marshmallow.Schema.from_dict({}, name="Bare")
    assert title_of(bare(), "my_tracker") == "My tracker"
    assert help_of(bare()) == ""


def test_every_field_that_is_asked_for_is_described():
    token, mode, amount, urls, on = fields_of(Settings())
    assert token == {
        "name": "token",
        "title": "Token",
        "help": "",
        "type": "text",
        "required": True,
        "secret": True,
    }
    assert (mode["choices"], mode["default"]) == (["a", "b"], "a")
    assert (amount["type"], amount["help"], "default" in amount) == ("number", "", False)
    assert (urls["name"], urls["type"]) == ("addresses", "object")
    assert [field["name"] for field in urls["fields"]] == ["wait"]
    assert (on["type"], "default" in on) == ("flag", False)
    assert json.dumps(fields_of(Settings()))


class Choosy(marshmallow.Schema):
    several = fields.List(fields.String(validate=validate.OneOf(["a", "b"])))
    subset = fields.List(fields.String(), validate=validate.ContainsOnly([1, 2]))
    words = fields.Dict(keys=fields.String(validate=validate.OneOf(["wait", "hold"])))
    free = fields.List(fields.String())
    open = fields.Dict()


def test_lists_and_maps_say_what_can_be_chosen():
    several, subset, words, free, anything = fields_of(Choosy())
    assert (several["type"], several["choices"]) == ("list", ["a", "b"])
    assert subset["choices"] == ["1", "2"]
    assert (words["type"], words["choices"]) == ("map", ["wait", "hold"])
    assert "choices" not in free
    assert "choices" not in anything


def test_every_title_and_help_is_named_to_be_translated():
    inner = {"title": "Inner", "help": "", "name": "inner"}
    outer = {"title": "Outer", "help": "of two", "name": "outer", "fields": [inner]}
    assert list(texts_of([outer])) == ["Outer", "of two", "Inner"]
