"""What answers look like, and those that no schema describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from app.schemas import Output

JsonSchema = dict[str, Any]


class Rows(NamedTuple):
    """A list of what one schema describes."""

    schema: type[Output]


class Made(NamedTuple):
    """One object that several schemas describe together."""

    schemas: tuple[type[Output], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer: its `data`, and what stands beside it.

    `data` is None where there is none; `sometimes` where it may be missing.
    With another `media` than JSON there is no envelope at all.
    """

    data: Rows | Made | JsonSchema | None = None
    sometimes: bool = False
    top: Mapping[str, JsonSchema] = field(default_factory=dict)
    top_sometimes: Mapping[str, JsonSchema] = field(default_factory=dict)
    media: str = "application/json"


def record(
    optional: Mapping[str, JsonSchema] | None = None, /, **members: JsonSchema
) -> JsonSchema:
    """An object with exactly these members; those of `optional` may be missing."""
    return {
        "type": "object",
        "properties": {**members, **(optional or {})},
        "required": list(members),
        "additionalProperties": False,
    }


def listing(of: JsonSchema) -> JsonSchema:
    """A list of these."""
    return {"type": "array", "items": of}


TEXT: Final[JsonSchema] = {"type": "string"}
FLAG: Final[JsonSchema] = {"type": "boolean"}
TEXTS: Final = listing(TEXT)
NUMBER: Final[JsonSchema] = {"type": "integer", "format": "int64"}

#: Members of the small answers that views write out themselves.
WORDS: Final[Mapping[str, JsonSchema]] = {
    "id": NUMBER,
    "count": NUMBER,
    "code": TEXT,
    "key": TEXT,
    "media": TEXT,
    "token": TEXT,
    "url": TEXT,
}

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

#: By endpoint: what no schema of ours describes.
ODD: Final[Mapping[str, Answer]] = {
    "auth.poll": Answer(top={"pending": FLAG}, top_sometimes={"token": TEXT}),
    "trackers.listed": Answer(listing(TRACKER)),
    "leads.export": Answer(TEXT, media="text/csv"),
}

#: By endpoint: bodies that are neither JSON nor a plain form.
BODIES: Final[Mapping[str, Mapping[str, JsonSchema]]] = {
    "media.upload": {
        "multipart/form-data": {
            **record(file={"type": "string", "contentMediaType": "application/octet-stream"}),
            "additionalProperties": True,
        }
    },
    "tariffs.confirm": {"application/json": {}},  # in truth whatever the gateway sends
}
