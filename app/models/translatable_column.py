"""A column for text that is translated when it is read, packed with its template and terms.

The language of a reader is not known when the text is written.
"""

import json
from typing import Any, Final

from sqlalchemy import String, TypeDecorator

from plugins.contract import TranslatableText

#: Lengths to which terms are cut, until the sentence fits: whole, then shorter and shorter.
_TERM_LENGTHS: Final = (4096, 200, 140, 80, 30)
#: How a packed sentence begins; no sentence for people does.
_START: Final = '{"template":'


class Translatable(TypeDecorator[str]):
    """A text for people that can still be translated when it is read.

    What `translatable` made is stored with its template and terms, any other text as it is.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        """Pack on the way in, cut to the length of the column."""
        return None if value is None else pack(value, self.length)

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        """Unpack on the way out."""
        return None if value is None else unpack(value)


def pack(text: str, most: int) -> str:
    """Return `text` as at most `most` characters: JSON if it is translatable, else plain.

    Long terms are cut. A sentence that does not fit even so is kept in English.
    """
    if isinstance(text, TranslatableText):
        for length in _TERM_LENGTHS:
            packed = json.dumps(_parts(text, length), ensure_ascii=False, separators=(",", ":"))
            if len(packed) <= most:
                return packed
    return text[:most]


def unpack(packed: str) -> str:
    """Return the sentence that `pack` has packed; any other text as it is."""
    if not packed.startswith(_START):
        return packed
    try:
        return _sentence(json.loads(packed))
    except (ValueError, KeyError, TypeError, AttributeError):  # a text that only begins like one
        return packed


def _parts(text: TranslatableText, length: int) -> dict[str, Any]:
    terms = {name: _packed_term(term, length) for name, term in text.terms.items()}
    return {"template": text.template, "terms": terms}


def _packed_term(term: object, length: int) -> object:
    if isinstance(term, TranslatableText):
        return _parts(term, length)
    if isinstance(term, str) and len(term) > length:
        return f"{term[: length - 1]}…"
    return term


def _sentence(parts: dict[str, Any]) -> TranslatableText:
    terms = {
        name: _sentence(term) if isinstance(term, dict) else term
        for name, term in parts["terms"].items()
    }
    return TranslatableText(parts["template"], **terms)
