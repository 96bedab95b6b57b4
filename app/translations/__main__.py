"""`python -m app.translations`: collect new texts, compile; 1 if any is untranslated.

For developers. Nothing of it runs in production.
"""

import ast
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

import app.blueprints
import app.dashboard  # noqa: F401 - so that every error is known
from app.errors import ApiError
from app.translations import FOLDER
from plugins.contract import PROJECT
from plugins.host import library_messages
from plugins.host.catalogue import form_texts

ROOT: Final = FOLDER.parents[1]
#: A catalogue that is written twice is the same file.
DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)
#: The calls that mark a text, and how many of their first arguments are texts.
MARKS: Final = {"gettext": 1, "ngettext": 2, "translatable": 1}


def template() -> Catalog:
    """Return all texts, in the order of the files they are in."""
    catalog = Catalog(project=PROJECT, charset="utf-8")
    for path in code():
        place = (str(path.relative_to(ROOT)), 0)
        for texts in marked(ast.parse(path.read_text("utf-8"))):
            catalog.add(texts[0] if len(texts) == 1 else texts, locations=[place])
    for path in pages():
        place = (str(path.relative_to(ROOT)), 0)
        for texts in marked_in_page(path):
            catalog.add(texts[0] if len(texts) == 1 else texts, locations=[place])
    for text in sorted(form_texts()):
        catalog.add(text, locations=[("plugins/trackers", 0)])
    for error in _errors(ApiError):
        catalog.add(error.default, locations=[("app/errors.py", 0)])
    for text in sorted(library_messages.templates()):
        catalog.add(text, locations=[("marshmallow", 0)])
    return catalog


def code() -> Iterator[Path]:
    """Return the modules that speak to people; those of the sandbox speak to programs."""
    for path in sorted((*ROOT.glob("app/**/*.py"), *ROOT.glob("plugins/**/*.py"))):
        if "sandbox" not in path.relative_to(ROOT).parts:
            yield path


def pages() -> Iterator[Path]:
    """Return the templates of the dashboard."""
    yield from sorted(ROOT.glob("app/dashboard/templates/**/*.html"))


def marked_in_page(path: Path) -> Iterator[tuple[str, ...]]:
    """Return the texts of each `_(…)`, `ngettext(…)` and `{% trans %}` of a template."""
    with path.open("rb") as file:
        for _line, function, marked_texts, _comments in babel_extract(
            file, ("_", "ngettext"), [], {}
        ):
            texts = (marked_texts,) if isinstance(marked_texts, str) else marked_texts or ()
            yield tuple(str(text) for text in texts[: 2 if function == "ngettext" else 1])


def marked(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """Return the texts of each call in MARKS whose texts are literals."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            texts = tuple(
                argument.value
                for argument in node.args[: MARKS.get(name, 0)]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            )
            if texts and len(texts) == MARKS[name]:
                yield texts


def _errors(base: type[ApiError]) -> Iterator[type[ApiError]]:
    yield base
    for error in base.__subclasses__():
        yield from _errors(error)


def languages() -> Iterator[tuple[str, Path]]:
    """Return each language and the .po file of its catalogue."""
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/messages.po")):
        yield path.parents[1].name, path


def read(language: str, path: Path) -> Catalog:
    """Return the catalogue of one language, as it is on disk."""
    with path.open("rb") as file:
        return read_po(file, locale=language)


def untranslated(catalog: Catalog) -> list[str]:
    """Return the texts that have no translation, or an unsure one."""
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
        catalog.update(template(), no_fuzzy_matching=True)
        catalog.creation_date = catalog.revision_date = DATE
        catalog.msgid_bugs_address = ""
        catalog.last_translator = catalog.language_team = PROJECT
        with path.open("wb") as file:
            write_po(file, catalog, ignore_obsolete=True, include_lineno=False, width=100)
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, catalog)
        missing += [f"{language}: {text}\n" for text in untranslated(catalog)]
    sys.stderr.writelines(missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
