"""JSON as trackers take it and answer it."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from plugins.contract import Response

_DECODER: Final = json.JSONDecoder()
#: Where an object or a list of objects may begin, alone or behind other text.
_BEGIN: Final = re.compile(r'\{\s*+["}]|\[\s*+\{')
#: Beginnings that are tried: texts with many braces are no JSON.
_MAX_BEGINNINGS: Final = 64


def json_bytes(value: object) -> bytes:
    """`value` as JSON in UTF-8 without spaces; half characters become question marks."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def json_object(response: Response) -> Mapping[str, Any]:
    """The JSON object of an answer; empty where the body is anything else."""
    answer = response.json()
    return answer if isinstance(answer, dict) else {}


def json_objects(response: Response) -> list[Mapping[str, Any]]:
    """Every JSON object an answer says: alone, in a list, one after another or behind a word.

    JSON inside a JSON text is read too. What stands around the objects is left out.
    """
    text, position = response.text, 0
    if text.lstrip()[:1] == '"' and isinstance(inner := response.json(), str):
        text = inner
    objects: list[Mapping[str, Any]] = []
    for _ in range(_MAX_BEGINNINGS):
        if not (start := _BEGIN.search(text, position)):
            break
        try:
            value, position = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            position = start.start() + 1
            continue
        values = value if isinstance(value, list) else [value]
        objects += (item for item in values if isinstance(item, dict))
    return objects


def valid_text(text: str) -> str:
    """`text` with a question mark for each half of a surrogate pair, which JSON readers refuse."""
    return text.encode("utf-8", "replace").decode()
