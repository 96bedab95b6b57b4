"""Sentences that come up from below: marshmallow's, the built-in adapters', the transport's.

Those layers are pure or are not ours, and speak plain English. So a sentence
is recognised here by its template, as people would: what stands where the
template has a %(name)s is taken over into the translation. The templates are
collected by `extraction`; a stranger's adapter that speaks marshmallow's
sentences is understood too, and its own stay as they are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from babel.messages.mofile import read_mo

DOMAIN: Final = "foreign"
VALUE: Final = re.compile(r"%\((\w+)\)s")
#: Whoever wrote more than this is no library and no adapter of ours.
LONGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language: what is said as it stands, and what has values in it."""

    fixed: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...]

    def of(self, text: str) -> str:
        """`text` in this language; as it is where it is not known."""
        if text in self.fixed:
            return self.fixed[text]
        for pattern, translation in self.patterns if len(text) <= LONGEST else ():
            if found := pattern.fullmatch(text):
                values = {name: self.of(value) for name, value in found.groupdict().items()}
                return VALUE.sub(lambda place: values[place[1]], translation)  # noqa: B023
        return text


def translated(folder: Path, language: str, text: str) -> str:
    """`text` in `language`, of which `folder` has the catalogue, if it is known there."""
    return _phrases(folder, language).of(text)


@functools.cache
def _phrases(folder: Path, language: str) -> Phrases:
    with (folder / language / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as file:
        known = {str(one.id): str(one.string) for one in read_mo(file) if one.id and one.string}
    with_values = sorted(filter(VALUE.search, known), key=_literal, reverse=True)
    return Phrases(
        {text: said for text, said in known.items() if not VALUE.search(text)},
        tuple((pattern_of(text), known[text]) for text in with_values),
    )


def pattern_of(template: str) -> re.Pattern[str]:
    """What matches every sentence made of `template`. A value may be anything, and empty."""
    parts = VALUE.split(template)
    values = (f"(?P<{name}>.*?)" for name in parts[1::2])
    pieces = [re.escape(parts[0])]
    for value, literal in zip(values, parts[2::2], strict=True):
        pieces += [value, re.escape(literal)]
    return re.compile("".join(pieces), re.DOTALL)


def _literal(template: str) -> int:
    """How much of a template is no value: the more, the surer it is meant."""
    return len(VALUE.sub("", template))
