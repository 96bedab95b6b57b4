"""Parses the bytes of a request, and finds out which parameter cannot be read.

A caller whose program wrote NaN into one field is helped by the field's name, not by "bad
JSON". So what orjson refuses is parsed once more by Python's own parser, which accepts NaN,
deep nesting and lone surrogates, and can therefore tell in which member they are.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from app.domain.storable_text import SURROGATE, UNSTORABLE
from app.errors import ApiError, BadParameter, TooLarge, translatable

MAX_BODY: Final = 256 * 1024
MAX_DEPTH: Final = 20
LONGEST_NAME: Final = 64
#: A text without an end reaches to the end: nothing is looked at twice.
_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.?)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
_STEP: Final = {"{": 1, "[": 1, "}": -1, "]": -1}


class UnreadableBody(ApiError):
    """The body is neither a JSON object nor a form."""

    code = "param"
    default = "the body must be a JSON object or a form"


def parse_pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Return the pairs of a query or a form.

    Bytes that are not UTF-8 become characters that `UNSTORABLE` finds.
    """
    text = encoded.decode("utf-8", "surrogateescape")
    return parse_qsl(text, keep_blank_values=True, errors="surrogateescape")


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object of bounded size and depth.

    Raises TooLarge, UnreadableBody, or BadParameter where one member is to blame.
    """
    if len(body) > MAX_BODY:
        raise TooLarge
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _blame(body) from error
    if not isinstance(parsed, dict):
        raise UnreadableBody
    for name, value in parsed.items():
        if is_deep(value):
            raise _at(name, translatable("is nested too deeply"))
    return parsed


def is_deep(value: object) -> bool:
    """Return whether `value`, one member of an object, is nested deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH - 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _blame(body: bytes) -> ApiError:
    try:
        parsed = json.loads(body, parse_int=float)  # Python limits the digits of an int
    except RecursionError:
        return _at(_deepest(body.decode("utf-8", "replace")), translatable("is nested too deeply"))
    except ValueError:
        return UnreadableBody()
    for name, value in parsed.items() if isinstance(parsed, dict) else ():
        if not _is_json(value):
            return _at(name, translatable("holds a number or a character that cannot be read"))
    return UnreadableBody()


def _is_json(value: object) -> bool:
    level: list[object] = [value]
    while level:
        for node in level:
            if isinstance(node, float) and not math.isfinite(node):
                return False
            if isinstance(node, str) and SURROGATE.search(node):
                return False
        level = [child for node in level for child in (*_names(node), *_children(node))]
    return True


def _deepest(text: str) -> str:
    """Return the first member that is nested too deeply; "" if the brackets do not match."""
    depth, name, deepest = 0, "", ""
    for token in _TOKENS.findall(text) if text.lstrip().startswith("{") else ():
        if token in _STEP:
            depth += _STEP[token]
            deepest = deepest or (name if depth > MAX_DEPTH else "")
        elif depth == 1:  # a name, or a value that is not the name of what is deep
            name = token[1:-1]
    return deepest if depth == 0 else ""


def _at(name: str, sentence: str) -> ApiError:
    """Return an error that names the member, unless its name is too long or cannot be stored."""
    if not name or len(name) > LONGEST_NAME or UNSTORABLE.search(name):
        return UnreadableBody(translatable("the body %(fault)s", fault=sentence))
    return BadParameter(name, sentence)


def _names(node: object) -> Iterable[object]:
    return node if isinstance(node, dict) else ()


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
