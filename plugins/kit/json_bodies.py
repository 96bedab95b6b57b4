"""JSON as trackers take it and answer it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from plugins.contract import Response

#: Values of `status`.
_FAILED: Final = ("error", "fail", "failed")
_DECODER: Final = json.JSONDecoder()
#: What may stand between two values, one to a line or not.
_BETWEEN: Final = re.compile(r"[\s,;\ufeff]*")


def json_bytes(value: object) -> bytes:
    """`value` as JSON in UTF-8 without spaces; half characters become question marks."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def json_object(response: Response) -> Mapping[str, Any]:
    """The JSON object of an answer; empty where the body is anything else."""
    answer = response.json()
    return answer if isinstance(answer, dict) else {}


def json_objects(response: Response) -> list[Mapping[str, Any]]:
    """Every JSON object an answer says: alone, in a list, or one after another.

    What follows the last of them and is no JSON, such as a comment of a proxy, is left out.
    """
    text, position = response.text, 0
    objects: list[Mapping[str, Any]] = []
    while start := _BETWEEN.match(text, position):
        try:
            value, position = _DECODER.raw_decode(text, start.end())
        except (ValueError, RecursionError):
            break
        values = value if isinstance(value, list) else [value]
        objects += (item for item in values if isinstance(item, dict))
    return objects


def says_failure(answer: Mapping[str, Any]) -> bool:
    """Whether a JSON object says, whatever the status, that the event was not taken."""
    if answer.get("success") is False or answer.get("ok") is False:
        return True
    status = answer.get("status")
    return status is False or (isinstance(status, str) and status.casefold() in _FAILED)


def valid_text(text: str) -> str:
    """`text` with a question mark for each half of a surrogate pair, which JSON readers refuse."""
    return text.encode("utf-8", "replace").decode()
