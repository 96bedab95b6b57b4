"""Every text has its translation, and what is compiled is what is written."""

from __future__ import annotations

import gettext as standard
import re

import pytest

from app.errors import NotFound
from app.services.accounts import LANGUAGES
from app.translations import gettext, ngettext, speaking
from app.translations.__main__ import languages, read, template, untranslated

CATALOGS = list(languages())
VALUE = re.compile(r"%\(\w+\)[sd]")


def test_every_language_but_english_has_a_catalogue():
    assert {language for language, _ in CATALOGS} == set(LANGUAGES) - {"en"}


@pytest.mark.parametrize(("language", "path"), CATALOGS)
def test_every_text_is_translated(language, path):
    catalog = read(language, path)
    assert untranslated(catalog) == []
    assert {message.id for message in template()} <= {message.id for message in catalog}, (
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


def test_an_error_is_told_in_the_account_s_language(api, make_account):
    russian = make_account(lang="ru")
    told = api(russian.key).get("camp/get", id=99)
    assert told["message"] == "в этом аккаунте нет такого объекта"
    assert api.get("camp/get", id=99)["message"] == NotFound.default
