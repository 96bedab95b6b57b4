"""Telegram's legacy Markdown, parsed here into text and entities.

A message that goes out as text and entities cannot be broken by what a macro
stands for: values are filled in after parsing and are never read as marks.

The rules are those of `parse_markdown` in TDLib's td/telegram/MessageEntity.cpp
(TDLib 1.8, read 2026-11): nothing nests, a backslash escapes `_`, `*`,
backtick and `[` outside of entities only, and an entity without an end is an
error. `bench/markdown.py` compares this module with TDLib itself.

Entities: https://core.telegram.org/bots/api#messageentity (lengths and
offsets count UTF-16 code units).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

from app.domain.telegram.links import mentioned_user
from plugins.contract import translatable

_MARKS: Final = frozenset("_*`[")
_FENCE: Final = ["`", "`", "`"]
#: What TDLib takes for white space behind the language of a fenced block.
_SPACES: Final = frozenset(" \t\r\n\0\v")
_NEW_LINES: Final = frozenset("\r\n")
_ATOM: Final = re.compile(r"\{[a-z_]+\}|.", re.DOTALL)


class Style(StrEnum):
    """How a run of text looks: the `type` of its MessageEntity."""

    PLAIN = ""
    BOLD = "bold"
    ITALIC = "italic"
    CODE = "code"
    PRE = "pre"
    LINK = "text_link"


_STYLES: Final = {"*": Style.BOLD, "_": Style.ITALIC, "`": Style.CODE, "[": Style.LINK}


class Unparsable(ValueError):
    """An entity has no end. `offset` counts the bytes before its mark, as Telegram does."""

    def __init__(self, offset: int) -> None:
        super().__init__(
            translatable(
                "Can't find end of the entity starting at byte offset %(offset)d", offset=offset
            )
        )
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one style. `target` is the URL of a LINK or the language of a PRE."""

    text: str
    style: Style = Style.PLAIN
    target: str = ""


class FormattedText(NamedTuple):
    """What the Bot API takes: a text and its entities, ready for JSON."""

    text: str
    entities: list[dict[str, Any]]


def parse(markdown: str, is_atom: Callable[[str], bool] = lambda _: False) -> tuple[Run, ...]:
    """Split legacy Markdown into runs.

    A `{name}` for which `is_atom("{name}")` holds is one character to the
    parser, so that the `_` in `{event_id}` marks nothing. Raises Unparsable.
    """
    return tuple(_Parser(_symbols(markdown, is_atom)).runs())


def parse_leniently(
    markdown: str, is_atom: Callable[[str], bool] = lambda _: False
) -> tuple[tuple[Run, ...], str]:
    """Split as `parse` does, but a mark whose entity has no end stands for itself.

    Returns the runs, and the words of the first such fault or "".
    """
    parser = _Parser(_symbols(markdown, is_atom), lenient=True)
    return tuple(parser.runs()), parser.fault


def fill(
    runs: Iterable[Run], in_text: Callable[[str], str], in_url: Callable[[str], str]
) -> tuple[Run, ...]:
    """Replace the macros of each run: in its text by one function, in its URL by the other."""
    return tuple(
        replace(
            run,
            text=in_text(run.text),
            target=in_url(run.target) if run.style is Style.LINK else run.target,
        )
        for run in runs
    )


def formatted(runs: Iterable[Run], limit: int) -> FormattedText:
    """Join runs into a text of at most `limit` UTF-16 code units and its entities.

    An entity that the limit cuts ends where the text ends.
    """
    pieces: list[str] = []
    entities: list[dict[str, Any]] = []
    offset = 0
    for run in runs:
        text = _cut(run.text, limit - offset)
        length = utf16_length(text)
        if length and run.style is not Style.PLAIN:
            entities.append(_entity(run, offset, length))
        pieces.append(text)
        offset += length
        if text != run.text:
            break
    return FormattedText("".join(pieces), entities)


def utf16_length(text: str) -> int:
    """Count UTF-16 code units, as Telegram counts."""
    return len(text) + sum(character > "\uffff" for character in text)


def _cut(text: str, limit: int) -> str:
    """Take the longest beginning of at most `limit` code units."""
    if utf16_length(text) <= limit:
        return text
    units = 0
    for index, character in enumerate(text):
        units += 2 if character > "\uffff" else 1
        if units > limit:
            return text[:index]
    return text


def _entity(run: Run, offset: int, length: int) -> dict[str, Any]:
    entity: dict[str, Any] = {"type": run.style.value, "offset": offset, "length": length}
    if run.style is Style.PRE and run.target:
        entity["language"] = run.target
    if run.style is Style.LINK:
        if user := mentioned_user(run.target):
            entity |= {"type": "text_mention", "user": {"id": user}}
        else:
            entity["url"] = run.target
    return entity


def _symbols(markdown: str, is_atom: Callable[[str], bool]) -> list[str]:
    symbols: list[str] = []
    for atom in _ATOM.findall(markdown):
        if len(atom) == 1 or is_atom(atom):
            symbols.append(atom)
        else:
            symbols += atom
    return symbols


class _Parser:
    """Reads symbols from left to right; a symbol is a character or a macro."""

    def __init__(self, symbols: Sequence[str], *, lenient: bool = False) -> None:
        self._symbols = symbols
        self._position = 0
        self._lenient = lenient
        self._never_ended: set[str] = set()  # none of these ends follows any more
        self.fault = ""

    def runs(self) -> Iterable[Run]:
        plain: list[str] = []
        while self._position < len(self._symbols):
            symbol = self._symbols[self._position]
            if symbol not in _MARKS:
                plain.append(self._plain(symbol))
                continue
            run = self._styled_or_plain(symbol)
            if run.style is Style.PLAIN:
                plain.append(run.text)
            elif run.text:
                yield from _plain_run(plain)
                plain = []
                yield run
        yield from _plain_run(plain)

    def _plain(self, symbol: str) -> str:
        """Read one symbol outside of entities; a backslash gives a mark as it is."""
        if symbol == "\\" and self._symbols[self._position + 1 : self._position + 2]:
            escaped = self._symbols[self._position + 1]
            if escaped in _MARKS:
                self._position += 2
                return escaped
        self._position += 1
        return symbol

    def _styled_or_plain(self, mark: str) -> Run:
        """Read an entity; a lenient parser gives a mark without an end as text."""
        if not self._lenient:
            return self._styled(mark)
        begin = self._position
        try:
            return self._styled(mark)
        except Unparsable as error:
            self.fault = self.fault or str(error)
            is_fence = list(self._symbols[begin : begin + 3]) == _FENCE
            self._position = begin + (3 if is_fence else 1)
            return Run("".join(self._symbols[begin : self._position]))

    def _styled(self, mark: str) -> Run:
        """Read the entity that `mark` begins, with what belongs to it."""
        begin = self._position
        if list(self._symbols[begin : begin + 3]) == _FENCE:
            self._position += 3
            language = self._language()
            return Run(self._until(_FENCE, begin), Style.PRE, language)
        self._position += 1
        text = self._until(["]" if mark == "[" else mark], begin)
        url = self._url(text) if mark == "[" and text else ""
        return Run(text, _STYLES[mark], url)

    def _until(self, end: list[str], begin: int) -> str:
        """Read up to the end mark and past it."""
        first = index = self._position
        while "".join(end) not in self._never_ended:
            try:
                index = self._symbols.index(end[0], index)
            except ValueError:
                self._never_ended.add("".join(end))
                break
            if list(self._symbols[index : index + len(end)]) == end:
                self._position = index + len(end)
                return "".join(self._symbols[first:index])
            index += 1
        if self.fault:  # only the first is told, and to count up to each costs the square
            raise Unparsable(0)
        raise Unparsable(len("".join(self._symbols[:begin]).encode("utf-8", "replace")))

    def _url(self, text: str) -> str:
        """Read the `(…)` behind a link's text; without one the text is the URL."""
        if self._symbols[self._position : self._position + 1] != ["("]:
            return text
        first = self._position + 1
        try:
            end = self._symbols.index(")", first)
        except ValueError:
            end = len(self._symbols)
        self._position = end + 1
        return "".join(self._symbols[first:end])

    def _language(self) -> str:
        """Read the language of a fenced block and one line break behind it."""
        first = self._position
        index = first
        while index < len(self._symbols) and self._symbols[index] not in {*_SPACES, "`"}:
            index += 1
        language = ""
        if first < index < len(self._symbols) and self._symbols[index] != "`":
            language = "".join(self._symbols[first:index])
            self._position = index
        breaks = self._symbols[self._position : self._position + 2]
        if breaks and breaks[0] in _NEW_LINES:
            pair = len(breaks) == 2 and breaks[1] in _NEW_LINES and breaks[0] != breaks[1]
            self._position += 2 if pair else 1
        return language


def _plain_run(characters: list[str]) -> Iterable[Run]:
    if characters:
        yield Run("".join(characters))
