"""What marshmallow says is the same after marking, and remembers its template and values."""

import re
from typing import Any

import marshmallow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate

from plugins.contract import TranslatableText
from plugins.host.library_messages import (
    LibraryMessage,
    make_translatable,
    templates,
    to_catalogue,
)


class Inner(Schema):
    amount = fields.Integer(required=True, validate=validate.Range(1, 9))


class Form(Schema):
    word = fields.String(validate=[validate.Length(2, 3), validate.OneOf(["ab", "abc"])])
    inner = fields.Nested(Inner)
    items = fields.List(fields.Integer(validate=validate.Range(max=5)))
    names = fields.Dict(keys=fields.String(validate=validate.Length(max=2)), values=fields.Float())
    pair = fields.Tuple([fields.Integer(), fields.String()])
    own = fields.String(validate=lambda text: text == "x" or _refuse())


def _refuse() -> bool:
    raise ValidationError("it is mine")


def faults(schema: Schema, typed: dict[str, Any]) -> Any:
    try:
        schema.load(typed)
    except ValidationError as error:
        return error.messages_dict
    return {}


def sentences(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found]
    inner = found.values() if isinstance(found, dict) else found
    return [sentence for one in inner for sentence in sentences(one)]


_words = st.sampled_from([*Form().fields, "amount", "stray"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_words, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=60)
@given(st.dictionaries(_words, _values, max_size=4))
def test_a_marked_schema_says_what_it_said_before_and_each_text_can_be_translated(typed):
    marked = Form()
    make_translatable(marked)
    found = faults(marked, typed)
    assert found == faults(Form(), typed)
    for sentence in sentences(found):
        assert sentence == "it is mine" or isinstance(sentence, TranslatableText)


def test_the_template_and_its_values_are_remembered_apart():
    schema = Form()
    make_translatable(schema)
    (sentence,) = sentences(faults(schema, {"inner": {"amount": 70}}))
    assert isinstance(sentence, TranslatableText)
    assert sentence.template == "Must be %(min_op)s %(min)s and %(max_op)s %(max)s." or (
        set(sentence.terms) <= {"min", "max"}
    )
    assert sentence.terms["max"] == 9


def test_marking_one_schema_leaves_its_class_and_other_instances_as_they_were():
    make_translatable(Form())
    (sentence,) = sentences(faults(Form(), {"word": "x" * 9, "stray": 1})["stray"])
    assert not isinstance(sentence, TranslatableText)
    rules = Form().fields["word"].validators
    assert not any(isinstance(getattr(rule, "error", None), TranslatableText) for rule in rules)


def test_a_schema_that_holds_itself_is_marked_to_a_depth_and_no_further():
    class Tree(Schema):
        left = fields.Nested(lambda: Tree())  # noqa: PLW0108 - it has no name yet
        leaf = fields.Integer()

    schema = Tree()
    make_translatable(schema)
    (shallow,) = sentences(faults(schema, {"left": {"leaf": "x"}}))
    assert isinstance(shallow, TranslatableText)


@pytest.mark.parametrize(
    ("template", "catalogue"),
    [
        ("Not a valid number.", "Not a valid number."),
        ("Must be at most {max}.", "Must be at most %(max)s."),
        ("{input!r} is 5% too long.", "%(input)s is 5%% too long."),
        ("100% sure", "100% sure"),
    ],
)
def test_a_template_is_written_as_the_catalogue_writes_it(template, catalogue):
    assert to_catalogue(template) == catalogue


@pytest.mark.parametrize(
    ("template", "values", "text"),
    [
        ("At most {max}.", {"max": 5, "input": "secret"}, "At most 5."),
        ("{input!r} is wrong.", {"input": "x"}, "'x' is wrong."),
        ("{input!r} is 5% off.", {"input": "x"}, "'x' is 5% off."),
        ("{max} of {max:>4}", {"max": 5}, "5 of    5"),
        ("{{max}} is {max}", {"max": 5}, "{max} is 5"),
    ],
)
def test_values_are_filled_in_as_format_fills_them_and_no_other_is_kept(template, values, text):
    filled = LibraryMessage(template).format(**values)
    assert filled == text
    assert "secret" not in filled.terms.values()


def test_every_template_of_the_installed_marshmallow_is_known():
    known = templates()
    assert to_catalogue(marshmallow.fields.Field.default_error_messages["required"]) in known
    assert to_catalogue(validate.Range(1, 2).message_all) in known
    assert to_catalogue(validate.Length.message_equal) in known
    assert not [text for text in known if re.search(r"\{\w", text)]


def test_an_author_who_names_a_value_that_there_is_not_is_told_as_marshmallow_tells_it():
    with pytest.raises(KeyError):
        LibraryMessage("at most {most}").format(max=5)
