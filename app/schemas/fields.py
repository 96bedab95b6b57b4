"""Strict fields. Messages follow the field's name: "limit: must be …".

Forms and queries carry only text, so numbers and flags are taken from text as
well; nothing else is converted. What a database refuses (NUL, lone
surrogates, integers beyond 64 bits) is refused here, where it has a name.
"""

import enum
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, Generic, TypeVar

import orjson
from marshmallow import ValidationError, fields
from marshmallow.fields import Dict, List, Nested

from app.domain.storable_text import UNSTORABLE
from app.domain.time_ranges import DAY, YEAR_10000
from app.errors import translatable
from app.translations import translated

__all__ = [
    "Boolean",
    "Choice",
    "Dict",
    "EnumName",
    "Field",
    "Int",
    "IsPresent",
    "List",
    "Nested",
    "ShownText",
    "Text",
    "TextMap",
    "TranslatedText",
    "UtcText",
    "json_of",
]

Value = TypeVar("Value")

SMALLEST: Final = -(2**63)
LARGEST: Final = 2**63 - 1
NEVER: Final = "0000-00-00 00:00:00"
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_SENTENCES: Final[Mapping[str, str]] = {
    "required": translatable("is required"),
    "null": translatable("must not be null"),
}
_BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}


class Field(fields.Field[Value], Generic[Value]):
    """Base of our fields, with our messages instead of marshmallow's."""

    def __init__(self, **options: Any) -> None:
        super().__init__(error_messages={**_SENTENCES}, **options)

    def _read(self, value: Any) -> Value:
        """Return the checked parameter. Raises ValidationError with a message."""
        raise NotImplementedError

    def _show(self, value: Any) -> Any:
        """Return a value as it looks in an answer."""
        return value

    # The names and the unused arguments are marshmallow's.
    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> Value:  # noqa: ARG002
        return self._read(value)

    def _serialize(self, value: Any, attr: Any, obj: Any, **options: Any) -> Any:  # noqa: ARG002
        return self._show(value)


def json_of(text: str) -> Any:
    """Return what a form holds as JSON text; None for what is no JSON."""
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None


class Text(Field[str]):
    """Text of at most `longest` characters, of the form `pattern` unless that is empty."""

    def __init__(
        self, longest: int = 4096, *, not_empty: bool = False, pattern: str = "", **options: Any
    ) -> None:
        super().__init__(**options)
        self.longest = longest
        self.not_empty = not_empty
        self.pattern = re.compile(pattern, re.ASCII) if pattern else None

    def _read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(translatable("must be text"))
        if len(value) > self.longest:
            raise ValidationError(
                translatable("is longer than %(most)d characters", most=self.longest)
            )
        if UNSTORABLE.search(value):
            raise ValidationError(translatable("holds a character that cannot be stored"))
        if self.not_empty and not value:
            raise ValidationError(translatable("must not be empty"))
        if self.pattern and not self.pattern.fullmatch(value):
            raise ValidationError(translatable("is not of the expected form"))
        return value


class TranslatedText(Text):
    """Text for people, shown in the language of the account where it can be. Only shown."""

    def _show(self, value: str) -> str:
        return translated(value)


class Int(Field[int]):
    """A whole number from `low` to `high`. None is shown as `null_as`."""

    def __init__(
        self,
        low: int = SMALLEST,
        high: int = LARGEST,
        *,
        null_as: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.low, self.high, self.null_as = low, high, null_as

    def _read(self, value: Any) -> int:
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():  # to JSON 5.0 is 5
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError(translatable("must be a whole number"))
        if not self.low <= value <= self.high:
            raise ValidationError(
                translatable("must be from %(low)d to %(high)d", low=self.low, high=self.high)
            )
        return value

    def _show(self, value: Any) -> int | None:
        return self.null_as if value is None else int(value)


class Boolean(Field[bool]):
    """true, false, 1 or 0."""

    def _read(self, value: Any) -> bool:
        if not isinstance(value, bool | int | str):
            raise ValidationError(translatable("must be true, false, 1 or 0"))
        try:
            return _BOOLEANS[str(value).lower()]
        except KeyError:
            raise ValidationError(translatable("must be true, false, 1 or 0")) from None


class IsPresent(Field[bool]):
    """Whether there is a value; the value itself is nobody's to read."""

    def _show(self, value: object) -> bool:
        return value is not None


class ShownText(Field[str]):
    """Text that `make` makes of a value. Only shown."""

    def __init__(self, make: Callable[[Any], str], **options: Any) -> None:
        super().__init__(dump_only=True, **options)
        self.make = make

    def _show(self, value: Any) -> str:
        return self.make(value)


class TextMap(Field[dict[str, str]]):
    """An object of texts, which is stored as its JSON text. Only shown."""

    def _show(self, value: str) -> Any:
        return orjson.loads(value)


class Choice(Field[str]):
    """One of `words`."""

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(**options)
        self.words = words

    def _read(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ValidationError(
                translatable("must be one of %(words)s", words=", ".join(self.words))
            )
        return value


class EnumName(Field[int]):
    """A member of an IntEnum, written as its name in lower case."""

    def __init__(self, members: type[enum.IntEnum], **options: Any) -> None:
        super().__init__(**options)
        self.by_word = {member.name.lower(): int(member) for member in members}
        self.by_value = {value: word for word, value in self.by_word.items()}

    def _read(self, value: Any) -> int:
        if not isinstance(value, str) or value not in self.by_word:
            raise ValidationError(
                translatable("must be one of %(words)s", words=", ".join(self.by_word))
            )
        return self.by_word[value]

    def _show(self, value: Any) -> str:
        return self.by_value[value]


class UtcText(Field[str]):
    """Unix seconds as UTC text, `YYYY-MM-DD HH:MM:SS`. For answers only.

    With a `zone` it is that zone's time with its offset, and no time is empty.
    """

    zone: tzinfo | None = None

    def _show(self, value: Any) -> str:
        if self.zone is not None:
            return _in_zone(value, self.zone) if value and value > 0 else ""
        if not value or value < 0:
            return NEVER
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(min(value, YEAR_10000 - 1)))


def _in_zone(seconds: float, zone: tzinfo) -> str:
    latest = YEAR_10000 - 1 - DAY  # east of UTC the years end earlier
    return datetime.fromtimestamp(min(seconds, latest), zone).isoformat(" ", "seconds")
