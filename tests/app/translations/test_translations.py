"""Every text has its translation, and what is compiled is what is written."""

from __future__ import annotations

import ast
import copy
import gettext as standard
import pickle
import re
from pathlib import Path

import marshmallow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate

import app as code
import app.blueprints
from app.errors import ApiError, Sentence, translatable
from app.outbound.urls import AddressRefused, check_url
from app.services.accounts.accounts import LANGUAGES
from app.translations import FOLDER, SPOKEN, foreign, gettext, ngettext, speaking, translated
from app.translations.__main__ import KEYWORDS, languages, read, template, untranslated
from plugins.registry import Registry

CATALOGS = list(languages())
VALUE = re.compile(r"%\(\w+\)[sd]")


def test_every_language_but_english_has_both_catalogues():
    foreign_ones = set(LANGUAGES) - {"en"}
    found = {(language, path.stem) for language, path in CATALOGS}
    assert found == {(one, domain) for one in foreign_ones for domain in ("messages", "foreign")}
    assert set(SPOKEN) == set(LANGUAGES)


@pytest.mark.parametrize(("language", "path"), CATALOGS)
def test_every_text_is_translated(language, path):
    catalog = read(language, path)
    assert untranslated(catalog) == []
    known = {message.id for message in catalog}
    assert {message.id for message in template(path.stem)} <= known, (
        "run python -m app.translations"
    )


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
    with speaking("ru"):
        assert gettext("It was not me") == "Это был не я"
        assert ngettext("%(num)d left", "%(num)d left", 21) == "21 вышел"
        with speaking("en"):
            assert gettext("It was not me") == "It was not me"
        assert gettext("It was not me") == "Это был не я"
    assert gettext("It was not me") == "It was not me"


def _errors(base=ApiError):
    yield base.__name__
    for error in base.__subclasses__():
        yield from _errors(error)


def _refusals():
    """Every message that is written where an error is raised, with its place."""
    names = {*_errors(), "ValidationError"}
    folder = Path(code.__file__).parent
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names and node.args:
                has_field = node.func.id == "BadParameter"
                message = node.args[1] if has_field and len(node.args) > 1 else node.args[0]
                yield f"{path.relative_to(folder)}:{node.lineno}", message


def test_whoever_refuses_says_it_so_that_it_can_be_translated():
    places = list(_refusals())
    assert len(places) > 50
    bare = [place for place, one in places if isinstance(one, ast.Constant | ast.JoinedStr)]
    assert bare == [], "write translatable(...)"


def test_nothing_else_is_named_like_the_mark_of_a_text():
    """Babel 2.19 takes `name["result"]` for a call of the keyword `name`."""
    folder = Path(code.__file__).parent
    others = [
        f"{path.relative_to(folder)}:{node.lineno}"
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in KEYWORDS)
        or (isinstance(node, ast.arg) and node.arg in KEYWORDS)
        or (isinstance(node, ast.Subscript) and getattr(node.value, "id", "") in KEYWORDS)
    ]
    assert others == []


def test_a_sentence_is_its_text_and_stays_a_sentence_when_it_is_copied():
    sentence = translatable("at most %(most)d days at a time", most=366)
    assert sentence == "at most 366 days at a time"
    for one in (copy.deepcopy(sentence), pickle.loads(pickle.dumps(sentence))):  # noqa: S301
        assert isinstance(one, Sentence)
        assert (one, one.template, one.terms) == (sentence, sentence.template, {"most": 366})


def test_a_sentence_inside_a_sentence_is_translated_and_a_name_is_not(app):
    inner = translatable("must be from %(low)d to %(high)d", low=1, high=5)
    sentence = translatable("%(name)s failed: %(reason)s", name="is required", reason=inner)
    assert translated(sentence) == "is required failed: must be from 1 to 5"
    with speaking("ru"):
        assert translated(sentence) == "сбой адаптера is required: нужно число от 1 до 5"
        assert translated("somebody's own words") == "somebody's own words"
        assert translated("100 % of %(x)s") == "100 % of %(x)s"
        assert translated("") == ""


@pytest.mark.parametrize(
    ("language", "path"), [one for one in CATALOGS if one[1].stem == foreign.DOMAIN]
)
def test_every_sentence_from_below_is_recognised_with_its_values(language, path):
    for message in read(language, path):
        names = foreign.VALUE.findall(message.id or "")
        values = {name: f"{number}77" for number, name in enumerate(names, 1)}
        text, expected = (
            foreign.VALUE.sub(lambda place: values[place[1]], one)  # noqa: B023
            for one in (message.id or "", message.string)
        )
        if text:
            assert foreign.translated(FOLDER, language, text) == expected


@given(st.text(), st.text())
def test_a_value_is_taken_over_as_it_is(before, after):
    value = f"{before}~{after}"  # no sentence has a tilde
    told = foreign.translated(FOLDER, "ru", f"the tracker says: {value}")
    assert told == f"трекер сообщает: {value}"


@given(st.text())
def test_any_text_is_told_somehow(text):
    assert isinstance(foreign.translated(FOLDER, "ru", text), str)


def _messages(found):
    """All sentences in marshmallow's nest of them."""
    if isinstance(found, str):
        yield found
    for one in found.values() if isinstance(found, dict) else found:
        if not isinstance(found, str):
            yield from _messages(one)


def _untold(sentences):
    """Those that nobody has translated."""
    with speaking("ru"):
        return {one for one in sentences if translated(one) == one}


def test_what_marshmallow_says_is_known(app):
    length, numbers = validate.Length, validate.Range
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
    with pytest.raises(marshmallow.ValidationError) as caught:
        Schema.from_dict(rules)().load({**values, "stray": 1, "whole": 1.5})
    assert set(caught.value.messages_dict) == {*rules, "stray"}
    assert _untold(_messages(caught.value.messages_dict)) == set()


RUBBISH = (None, [], {}, "", "ü ✗", "http://a b", 10**30, -1, 1.5, True, ["x"], {"x": ["y"]})
TRACKERS = Registry.load(())


@pytest.mark.parametrize("tracker", TRACKERS.names())
def test_what_a_built_in_adapter_refuses_is_known(app, tracker):
    adapter = TRACKERS.get(tracker)
    told = set()
    for settings in ({}, *({name: one} for name in adapter.schema.fields for one in RUBBISH)):
        try:
            adapter.check_settings(settings)
        except marshmallow.ValidationError as error:
            told |= set(_messages(error.messages))
    assert told
    assert _untold(told) == set()


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
    with speaking("ru"):
        told = translated(caught.value.reason)
    words = set(re.findall(r"\b[a-z]{3,}", told)) - {"http", "https", "example"}
    assert words == set(), told
