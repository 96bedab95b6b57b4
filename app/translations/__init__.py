"""Texts for people, in their language.

The code says them in English, marked by `translatable(...)`, `gettext(...)` or
`ngettext(...)`. The folder `ru` holds the Russian catalogue. After a text was
changed run `python -m app.translations`, fill in what is empty in the .po file
and run it again: it collects new texts and compiles.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import flask_babel  # type: ignore[import-untyped,unused-ignore]
from babel import negotiate_locale
from flask import Flask, g, has_request_context, request
from markupsafe import Markup

from plugins.contract import TranslatableText

FOLDER: Final = Path(__file__).parent
#: English, and every language with a folder.
LANGUAGES: Final = ("en", *sorted(path.parent.name for path in FOLDER.glob("*/LC_MESSAGES")))
#: Texts that are kept at hand, so that no catalogue has to be found for each.
CACHED: Final = 4096

_babel: Final = flask_babel.Babel(configure_jinja=False)


def register(app: Flask) -> None:
    """Install Babel; English is the default."""
    _babel.init_app(
        app,
        default_locale="en",
        default_translation_directories=str(FOLDER),
        locale_selector=_callers_language,
    )


def use_in_templates(app: Flask) -> None:
    """Let templates say `{{ _("text") }}` and `ngettext`; values are escaped, texts are not."""
    app.jinja_env.globals.update(ngettext=_in_page_by_number)
    app.context_processor(lambda: {"_": partial(_in_page, _language())})


def _in_page(language: str, text: str, /, **values: Any) -> Markup:
    return _for_page(language, text) % values if values else _plain(language, text)


def _in_page_by_number(singular: str, plural: str, num: int, /, **values: Any) -> Markup:
    template: str = flask_babel.get_translations().ungettext(singular, plural, num)
    return Markup(template) % {"num": num, **values}  # noqa: S704 - a text of ours


def _language() -> str:
    locale = flask_babel.get_locale()
    return str(locale.language) if locale else ""


@lru_cache(maxsize=CACHED)
def _looked_up(_language: str, text: str) -> str:
    """Return a text in the language in use, which is `_language`.

    A page says the same few texts a hundred times.
    """
    return str(flask_babel.get_translations().ugettext(text))


@lru_cache(maxsize=CACHED)
def _for_page(language: str, text: str) -> Markup:
    return Markup(_looked_up(language, text))  # noqa: S704 - a text of ours


@lru_cache(maxsize=CACHED)
def _plain(language: str, text: str) -> Markup:
    return _for_page(language, text) % {}


def _callers_language() -> str | None:
    """Return the account's language; without an account that of Accept-Language, or None."""
    if "account" in g:
        return str(g.account.lang)
    if not has_request_context():
        return None
    return negotiate_locale(list(request.accept_languages.values()), LANGUAGES, sep="-")


@contextmanager
def use_language(lang: str) -> Iterator[None]:
    """Return texts in `lang`, one of LANGUAGES, within this block."""
    with flask_babel.force_locale(lang):
        yield


def gettext(text: str, /, **values: Any) -> str:
    """Return the text in the current language, with `values` for each %(name)s."""
    template = _looked_up(_language(), text)
    return template % values if values else template


def ngettext(singular: str, plural: str, num: int, /, **values: Any) -> str:
    """As `gettext`, in the plural form for `num`, which is also one of the values."""
    translation: str = flask_babel.ngettext(singular, plural, num, **values)
    return translation


def in_catalogue(text: str) -> str:
    """Return a text of a built-in tracker's form in the current language; another as it is."""
    return str(flask_babel.gettext(text)) if text else ""


def translated(text: str) -> str:
    """Return `text` in the current language, with those of its terms that are translatable.

    Text that was not made by `translatable`, such as a name or a tracker's own
    words, is returned as it is, and so is text whose template has no translation.
    """
    language = str(flask_babel.get_locale() or "en")
    if not isinstance(text, TranslatableText) or language not in LANGUAGES[1:]:
        return text
    terms = {
        name: translated(term) if isinstance(term, str) else term
        for name, term in text.terms.items()
    }
    template = gettext(text.template)
    return template % terms if terms else template
