"""What we say to people, in their language.

English stands in the code; a folder beside this file holds each other
language: `messages` has what we say, `foreign` what is said below us, see
`foreign.py`. After changing a text run `python -m app.translations`, fill in
what is empty in the .po, and run it again: it takes up new texts and compiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import flask_babel  # type: ignore[import-untyped,unused-ignore]
from babel import negotiate_locale
from flask import Flask, g, has_request_context, request

from app.errors import Sentence
from app.translations import foreign

FOLDER: Final = Path(__file__).parent
#: English, and every language with a folder.
SPOKEN: Final = ("en", *sorted(path.parent.name for path in FOLDER.glob("*/LC_MESSAGES")))

_babel: Final = flask_babel.Babel(configure_jinja=False)


def register(app: Flask) -> None:
    """Give the application its languages; English where nothing else is said."""
    _babel.init_app(
        app,
        default_locale="en",
        default_translation_directories=str(FOLDER),
        locale_selector=_callers_language,
    )


def _callers_language() -> str | None:
    """The account's; a stranger's browser or client may ask for one."""
    if "account" in g:
        return str(g.account.lang)
    if not has_request_context():
        return None
    return negotiate_locale(list(request.accept_languages.values()), SPOKEN, sep="-")


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Within this block texts are in `lang`, one of `accounts.LANGUAGES`."""
    with flask_babel.force_locale(lang):
        yield


def gettext(text: str, /, **values: Any) -> str:
    """The text in the language of the moment, with `values` for each %(name)s."""
    said: str = flask_babel.gettext(text, **values)
    return said


def translated(text: str) -> str:
    """An English sentence in the language of the moment, and the sentences inside it.

    What nobody has translated, such as a name or a tracker's own words, stays.
    """
    language = str(flask_babel.get_locale() or "en")
    if not text or language not in SPOKEN[1:]:
        return text
    if isinstance(text, Sentence):
        return _said_in(language, text)
    ours = gettext(text)
    return ours if ours != text else foreign.translated(FOLDER, language, text)


def _said_in(language: str, sentence: Sentence) -> str:
    template = gettext(sentence.template)
    terms = {name: _term(language, term) for name, term in sentence.terms.items()}
    return template % terms if terms else template


def _term(language: str, term: object) -> object:
    """A plain text is somebody's word or a sentence from below, never one of ours."""
    if isinstance(term, Sentence):
        return _said_in(language, term)
    return foreign.translated(FOLDER, language, term) if isinstance(term, str) else term


def ngettext(one: str, many: str, num: int, /, **values: Any) -> str:
    """As `gettext`, in the form that `num` wants; it is a value as well."""
    said: str = flask_babel.ngettext(one, many, num, **values)
    return said
