"""What we say to people, in their language.

English stands in the code; a folder beside this file holds each other
language. After changing a text run `python -m app.translations`, fill in what
is empty in the .po, and run it again: it takes up new texts and compiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import flask_babel  # type: ignore[import-untyped,unused-ignore]
from flask import Flask, g

FOLDER: Final = Path(__file__).parent

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
    return g.account.lang if "account" in g else None


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Within this block texts are in `lang`, one of `accounts.LANGUAGES`."""
    with flask_babel.force_locale(lang):
        yield


def gettext(text: str, /, **values: Any) -> str:
    """The text in the language of the moment, with `values` for each %(name)s."""
    said: str = flask_babel.gettext(text, **values)
    return said


def ngettext(one: str, many: str, num: int, /, **values: Any) -> str:
    """As `gettext`, in the form that `num` wants; it is a value as well."""
    said: str = flask_babel.ngettext(one, many, num, **values)
    return said
