"""How the document describes answers, and JSON Schema for what no schema of ours describes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.schemas import Output

JsonSchema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer: its `data`, and the members that stand beside it.

    `data` is None where there is none; with `many` it is a list of such objects; with
    `optional` it may be missing. With another `media` than JSON the body is only that.
    """

    data: type[Output] | JsonSchema | None = None
    many: bool = False
    optional: bool = False
    top: Mapping[str, JsonSchema] = field(default_factory=dict)
    top_optional: Mapping[str, JsonSchema] = field(default_factory=dict)
    media: str = "application/json"


def record(
    optional: Mapping[str, JsonSchema] | None = None, /, **members: JsonSchema
) -> JsonSchema:
    """Return the schema of an object with exactly these members; `optional` ones may be missing."""
    return {
        "type": "object",
        "properties": {**members, **(optional or {})},
        "required": list(members),
        "additionalProperties": False,
    }


def listing(of: JsonSchema) -> JsonSchema:
    """Return the schema of a list of `of`."""
    return {"type": "array", "items": of}


TEXT: Final[JsonSchema] = {"type": "string"}
FLAG: Final[JsonSchema] = {"type": "boolean"}
TEXTS: Final = listing(TEXT)
NUMBER: Final[JsonSchema] = {"type": "integer", "format": "int64"}

FORM_FIELD: Final[JsonSchema] = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "title": TEXT,
        "help": TEXT,
        "type": {"enum": ["flag", "number", "object", "map", "list", "text", "value"]},
        "required": FLAG,
        "secret": FLAG,
        "default": {},
        "choices": TEXTS,
        "fields": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["name", "title", "help", "type", "required", "secret"],
    "additionalProperties": False,
}

MODE: Final = record(
    name=TEXT, title=TEXT, statuses={"type": "object", "additionalProperties": TEXT}
)

CLICK: Final = record(parameter=TEXT, macro=TEXT, pattern=TEXT, max_length=NUMBER, required=FLAG)

PRESET: Final = record(
    key=TEXT,
    title=TEXT,
    kind=TEXT,
    source=TEXT,
    date=TEXT,
    confidence=TEXT,
    notes=TEXT,
    modes=listing(MODE),
    click=CLICK,
    fields=listing(FORM_FIELD),
)

TRACKER: Final = record(
    key=TEXT,
    title=TEXT,
    version=TEXT,
    distribution=TEXT,
    fields=listing(FORM_FIELD),
    events=TEXTS,
    help=TEXT,
    presets=listing(PRESET),
    broken=TEXT,
)

#: A multipart form with one file; other fields are ignored.
FILE_UPLOAD: Final[Mapping[str, JsonSchema]] = {
    "multipart/form-data": {
        **record(file={"type": "string", "contentMediaType": "application/octet-stream"}),
        "additionalProperties": True,
    }
}
