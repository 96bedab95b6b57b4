"""JSON as trackers take it and answer it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from plugins.contract import Response


def json_bytes(value: object) -> bytes:
    """`value` as JSON in UTF-8 without spaces; half characters become question marks."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def json_object(response: Response) -> Mapping[str, Any]:
    """The JSON object of an answer; empty where the body is anything else."""
    answer = response.json()
    return answer if isinstance(answer, dict) else {}


def valid_text(text: str) -> str:
    """`text` with a question mark for each half of a surrogate pair, which JSON readers refuse."""
    return text.encode("utf-8", "replace").decode()
