"""`python -m app.translations`: take up new texts, compile; 1 if any is untranslated.

For who changes a text. Nothing of it runs in production.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import app.blueprints  # noqa: F401 - so that every error is known
from app.errors import ApiError
from app.translations import FOLDER, extraction
from app.translations.foreign import DOMAIN
from plugins.contract import PROJECT

CODE: Final = FOLDER.parent
#: A catalogue that is written twice is the same file.
DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)
#: The doubles of the sandbox speak to programs.
METHODS: Final = [("sandbox/**.py", "ignore"), ("**.py", "python")]
KEYWORDS: Final[dict[str, Any]] = {"gettext": None, "ngettext": (1, 2), "translatable": None}


def template(domain: str) -> Catalog:
    """All texts of a domain, in the order of their places."""
    return _of_others() if domain == DOMAIN else _ours()


def _of_others() -> Catalog:
    found = Catalog(project=PROJECT, charset="utf-8")
    for text, place in extraction.found(CODE.parent):
        found.add(text, locations=[(place, 0)])
    return found


def _ours() -> Catalog:
    found = Catalog(project=PROJECT, charset="utf-8")
    texts = extract_from_dir(CODE, METHODS, keywords=KEYWORDS)
    for name, line, message, _, _ in sorted(texts, key=lambda one: one[:2]):
        found.add(message, locations=[(name, line)])
    for error in _errors(ApiError):
        found.add(error.default, locations=[("errors.py", 0)])
    return found


def _errors(base: type[ApiError]) -> Iterator[type[ApiError]]:
    yield base
    for error in base.__subclasses__():
        yield from _errors(error)


def languages() -> Iterator[tuple[str, Path]]:
    """Each language, and each .po of it; the file is called as its domain."""
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/*.po")):
        yield path.parents[1].name, path


def read(language: str, path: Path) -> Catalog:
    """The catalogue of one language, as it is on disk."""
    with path.open("rb") as file:
        return read_po(file, locale=language)


def untranslated(catalog: Catalog) -> list[str]:
    """The texts that have no translation, or an unsure one."""
    return [
        str(message.id)
        for message in catalog
        if message.id and (message.fuzzy or not all(_forms(message.string)))
    ]


def _forms(string: object) -> tuple[object, ...]:
    return string if isinstance(string, tuple) else (string,)


def main() -> int:
    """Update and compile every language."""
    missing = []
    for language, path in languages():
        catalog = read(language, path)
        catalog.update(template(path.stem), no_fuzzy_matching=True)
        catalog.creation_date = catalog.revision_date = DATE
        catalog.msgid_bugs_address = ""
        catalog.last_translator = catalog.language_team = PROJECT
        with path.open("wb") as file:
            write_po(file, catalog, ignore_obsolete=True, include_lineno=False, width=100)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        missing += [f"{language} {path.stem}: {text}\n" for text in untranslated(catalog)]
    sys.stderr.writelines(missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
