"""Every text has its translation, and what is compiled is what is written."""

import ast
import copy
import gettext as standard
import pickle
import re

import marshmallow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate

from app.errors import ApiError
from app.outbound.urls import check_url
from app.services.accounts import accounts
from app.translations import LANGUAGES, gettext, ngettext, translated, use_language
from app.translations.__main__ import (
    MARKS,
    ROOT,
    code,
    languages,
    marked,
    read,
    template,
    untranslated,
)
from plugins.contract import TranslatableText, translatable
from plugins.host import library_messages
from plugins.kit.url_spelling import AddressRefused
from plugins.registry import Registry

CATALOGS = list(languages())
#: Where the marks themselves are defined.
DEFINED_IN = (ROOT / "app/translations/__init__.py", ROOT / "plugins/contract.py")
VALUE = re.compile(r"%\(\w+\)[sd]")


def test_every_language_but_english_has_a_catalogue():
    assert {language for language, _ in CATALOGS} == set(accounts.LANGUAGES) - {"en"}
    assert set(LANGUAGES) == set(accounts.LANGUAGES)


@pytest.mark.parametrize(("language", "path"), CATALOGS)
def test_every_text_is_translated(language, path):
    catalog = read(language, path)
    assert untranslated(catalog) == []
    known = {message.id for message in catalog}
    assert {message.id for message in template()} <= known, "run python -m app.translations"


def test_forms_of_trackers_are_among_the_texts():
    texts = {message.id for message in template()}
    assert {"Access token", "three letters, such as USD"} <= texts
    assert "approve" not in texts


@pytest.mark.parametrize(("language", "path"), CATALOGS)
def test_no_translation_is_kept_of_a_text_that_nobody_says(language, path):
    assert {message.id for message in read(language, path)} <= {m.id for m in template()}


@pytest.mark.parametrize(("language", "path"), CATALOGS)
def test_a_translation_keeps_the_values_of_its_text(language, path):
    for message in read(language, path):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for string in strings:
            assert set(VALUE.findall(string)) == set(VALUE.findall(ids[-1])), message.id


@pytest.mark.parametrize(("language", "path"), CATALOGS)
def test_what_is_compiled_is_what_is_written(language, path):
    with path.with_suffix(".mo").open("rb") as file:
        compiled = standard.GNUTranslations(file)
    for message in read(language, path):
        if isinstance(message.id, tuple):
            for number in (1, 2, 5, 11, 21, 101):
                assert compiled.ngettext(*message.id, number) in message.string
        elif message.id:
            assert compiled.gettext(message.id) == message.string


def test_a_language_lasts_as_long_as_its_block(app):
    assert gettext("It was not me") == "It was not me"
    with use_language("ru"):
        assert gettext("It was not me") == "Это был не я"
        assert ngettext("%(num)d left", "%(num)d left", 21) == "21 вышел"
        with use_language("en"):
            assert gettext("It was not me") == "It was not me"
        assert gettext("It was not me") == "Это был не я"
    assert gettext("It was not me") == "It was not me"


def _errors(base=ApiError):
    yield base.__name__
    for error in base.__subclasses__():
        yield from _errors(error)


#: What a sentence for people is raised with or returned in, and its place among the arguments.
SPEAKERS = {
    **dict.fromkeys(
        ("ValidationError", "UnknownTracker", "AddressRefused", "Refused", "BuyerUnknown"), 0
    ),
    **dict.fromkeys(("BadParameter", "Unsendable"), 1),
}


def _spoken():
    """Every argument that is a sentence for people, with its place."""
    speakers = {**dict.fromkeys(_errors(), 0), **SPEAKERS}
    for path in code():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(getattr(node, "func", None), "id", "")
            if name in speakers and len(node.args) > speakers[name]:
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield from ((place, text) for text in _texts(node.args[speakers[name]]))
            if getattr(getattr(getattr(node, "func", None), "value", None), "id", "") == "validate":
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield from ((place, word.value) for word in node.keywords if word.arg == "error")


def _texts(node):
    """The texts in an argument; marshmallow takes lists of them, and mappings."""
    if isinstance(node, ast.Dict | ast.List):
        for value in node.values if isinstance(node, ast.Dict) else node.elts:
            yield from _texts(value)
    else:
        yield node


def test_whoever_refuses_says_it_so_that_it_can_be_translated():
    spoken = list(_spoken())
    assert len(spoken) > 140
    bare = [place for place, text in spoken if isinstance(text, ast.Constant | ast.JoinedStr)]
    assert bare == [], "write translatable(...)"


def _marks():
    """Every call that marks a text, with its place."""
    for path in set(code()) - set(DEFINED_IN):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MARKS:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_whatever_is_marked_is_a_literal_that_the_catalogue_can_hold():
    marks = list(_marks())
    assert len(marks) > 250
    lost = [place for place, call in marks if not list(marked(ast.Expr(call)))]
    assert lost == []


def test_a_text_is_marked_by_a_call_and_by_nothing_that_looks_like_one():
    tree = ast.parse(
        'translatable["result"]; payload = {"gettext": "no"}; translatable("yes %(x)s", x=1); '
        'ngettext("one", "many", 3); contract.translatable("also"); gettext(text)'
    )
    assert list(marked(tree)) == [("yes %(x)s",), ("one", "many"), ("also",)]


def test_nothing_else_is_named_like_the_mark_of_a_text():
    """A reader who sees `translatable` shall know what it is."""
    others = [
        f"{path}:{node.lineno}"
        for folder in ("app", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in MARKS)
        or (isinstance(node, ast.arg) and node.arg in MARKS)
        or (isinstance(node, ast.Subscript) and getattr(node.value, "id", "") in MARKS)
        or (isinstance(node, ast.FunctionDef) and node.name in MARKS and path not in DEFINED_IN)
    ]
    assert others == []


def test_a_text_is_its_english_and_stays_translatable_when_it_is_copied():
    sentence = translatable("at most %(most)d days at a time", most=366)
    assert sentence == "at most 366 days at a time"
    for one in (copy.deepcopy(sentence), pickle.loads(pickle.dumps(sentence))):  # noqa: S301
        assert isinstance(one, TranslatableText)
        assert (one, one.template, one.terms) == (sentence, sentence.template, {"most": 366})


def test_a_sentence_inside_a_sentence_is_translated_and_a_name_is_not(app):
    inner = translatable("must be from %(low)d to %(high)d", low=1, high=5)
    sentence = translatable("%(name)s failed: %(reason)s", name="is required", reason=inner)
    assert translated(sentence) == "is required failed: must be from 1 to 5"
    with use_language("ru"):
        assert translated(sentence) == "сбой адаптера is required: нужно число от 1 до 5"
        assert translated("somebody's own words") == "somebody's own words"
        assert translated("100 % of %(x)s") == "100 % of %(x)s"
        assert translated("") == ""


def test_what_somebody_else_wrote_is_shown_as_written(app):
    with use_language("ru"):
        assert translated("is required") == "is required"
        assert translated(translatable("is required")) == "нужно указать"
        assert translated(translatable("our cat ate %(what)s", what="it")) == "our cat ate it"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
def test_a_term_is_taken_over_as_it_is(app, value):
    text = translatable("the tracker says: %(code)s", code=value)
    assert text == f"the tracker says: {value}"
    with use_language("ru"):
        assert translated(text) == f"трекер сообщает: {value}"


def test_a_text_stays_translatable_on_its_way_through_exceptions():
    text = translatable("the address has no domain")
    assert isinstance(str(ValueError(text)), TranslatableText)
    assert marshmallow.ValidationError(text).messages == [text]
    assert isinstance(marshmallow.ValidationError(text).messages[0], TranslatableText)


def test_a_term_is_text_or_a_number_from_the_start():
    text = translatable("cannot be used: %(error)s", error=ValueError("no"))
    assert text.terms == {"error": "no"}


def _messages(found):
    """All sentences in marshmallow's nest of them."""
    if isinstance(found, str):
        yield found
    for one in found.values() if isinstance(found, dict) else found:
        if not isinstance(found, str):
            yield from _messages(one)


def _untold(sentences):
    """Those that nobody has translated."""
    with use_language("ru"):
        return {one for one in sentences if translated(one) == one}


def test_what_marshmallow_says_is_known(app):
    length, numbers = validate.Length, validate.Range
    mine = translatable("must be three capital letters, such as USD")
    rules = {
        "long": fields.String(validate=length(max=1)),
        "short": fields.String(validate=length(min=9)),
        "between": fields.String(validate=length(min=8, max=9)),
        "exact": fields.String(validate=length(equal=9)),
        "least": fields.Float(validate=numbers(min=9)),
        "more": fields.Float(validate=numbers(min=9, min_inclusive=False)),
        "most": fields.Float(validate=numbers(max=1)),
        "less": fields.Float(validate=numbers(max=1, max_inclusive=False)),
        "both": fields.Float(validate=numbers(min=8, max=9)),
        "open": fields.Float(validate=numbers(8, 9, min_inclusive=False, max_inclusive=False)),
        "one": fields.String(validate=validate.OneOf(["a", "b"])),
        "like": fields.String(validate=validate.Regexp("x")),
        "mine": fields.String(validate=validate.Regexp("x", error=mine)),
        "pair": fields.Tuple([fields.String(), fields.Integer()]),
        "items": fields.List(fields.String(validate=length(min=9))),
        "names": fields.Dict(keys=fields.String(validate=length(min=9)), values=fields.Integer()),
        "inside": fields.Nested(Schema.from_dict({"needed": fields.String(required=True)})),
        "list": fields.List(fields.String()),
        "map": fields.Dict(),
        "nested": fields.Nested(Schema.from_dict({})),
        "flag": fields.Boolean(),
        "whole": fields.Integer(strict=True),
        "needed": fields.String(required=True),
        "moment": fields.DateTime(),
    }
    values = dict.fromkeys(rules, "222") | dict.fromkeys(("least", "more", "both", "open"), 2)
    del values["needed"]
    values |= {"items": ["x"], "names": {"x": "y"}, "inside": {}, "stray": 1, "whole": 1.5}
    schema = Schema.from_dict(rules)()
    with pytest.raises(marshmallow.ValidationError) as plain:
        schema.load(values)
    library_messages.make_translatable(schema)
    with pytest.raises(marshmallow.ValidationError) as caught:
        schema.load(values)
    assert caught.value.messages_dict == plain.value.messages_dict
    assert set(caught.value.messages_dict) == {*rules, "stray"}
    assert _untold(_messages(caught.value.messages_dict)) == set()


RUBBISH = (None, [], {}, "", "ü ✗", "http://a b", 10**30, -1, 1.5, True, ["x"], {"x": ["y"]})
TRACKERS = Registry.load(())


@pytest.mark.parametrize("tracker", TRACKERS.names())
def test_what_a_built_in_adapter_refuses_is_known(app, tracker):
    adapter = TRACKERS.get(tracker)
    refusals = set()
    for raw in ({}, *({name: value} for name in adapter.schema.fields for value in RUBBISH)):
        try:
            adapter.check_settings(raw)
        except marshmallow.ValidationError as error:
            refusals |= set(_messages(error.messages))
    assert refusals
    assert _untold(refusals) == set()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "https://user@a.example",
        "https://",
        "https://a.example:22",
        "https://a.example:6379",
        "https://a.example:3128",
        "https://10.0.0.1",
        "https://[::1]",
        "https://169.254.169.254",
        "https://0x7f.1",
        "https://[fe80::1%25eth0]",
        "https://тест.example",
        "https://a.example.",
        "https://-a.example",
        "https://a.example/ b",
        f"https://a.example/{'x' * 9000}",
    ],
)
def test_why_an_address_is_refused_is_known(app, url):
    with pytest.raises(AddressRefused) as caught:
        check_url(url)
    with use_language("ru"):
        told = translated(caught.value.reason)
    words = set(re.findall(r"\b[a-z]{3,}", told)) - {"http", "https", "example"}
    assert words == set(), told
