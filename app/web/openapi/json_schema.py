"""Our strict fields and schemas as JSON Schema.

Forms and queries carry text, so numbers and flags are taken from text in JSON
bodies too. The document does not say that of each: a client that follows it
sends numbers as numbers.
"""

import inspect
from collections.abc import Mapping
from functools import singledispatch
from types import UnionType
from typing import Any, Final, get_args, get_origin

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from marshmallow.fields import Field

from app.domain.join_requests.rules import MOST_RULES
from app.schemas import Output, fields
from app.schemas.destinations import Events, Settings
from app.schemas.event_keys import MOST_ADDRESSES, Addresses
from app.schemas.requests import Decision, Ids
from app.schemas.rules import Rules
from app.schemas.sites import Domains
from app.schemas.sources import SubMap
from app.schemas.stats import Date
from app.services.join_requests.owner.decisions import MOST_IDS
from app.web.openapi.responses import JsonSchema
from plugins.contract import ALL_KINDS

DATE_TIME: Final = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"
DATE: Final = r"^\d{4}-\d\d-\d\d$"
_KINDS: Final = [kind.value for kind in ALL_KINDS]
_TYPES: Final[Mapping[object, str]] = {
    int: "integer",
    float: "number",
    str: "string",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}


class Converter(OpenAPIConverter):
    """apispec's converter, knowing our fields."""

    def field2property(self, field: Field[Any]) -> JsonSchema:
        """Return what apispec says of any field, with the shape of ours."""
        described: JsonSchema = super().field2property(field)
        return described | shape(field) if isinstance(field, fields.Field) else described

    def schema2jsonschema(self, schema: Schema | type[Schema]) -> JsonSchema:
        """Return the schema of an object. An Output has all of its members and no other."""
        described: JsonSchema = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        kind = schema if isinstance(schema, type) else type(schema)
        if text := inspect.cleandoc(kind.__doc__ or ""):
            described["description"] = text
        if issubclass(kind, Output):
            described |= {"required": list(described["properties"]), "additionalProperties": False}
        return described


class Plugin(MarshmallowPlugin):
    """apispec's plugin for marshmallow, with our converter."""

    Converter = Converter

    def __init__(self) -> None:
        super().__init__(schema_name_resolver=name_of)


def name_of(schema: Schema | type[Schema]) -> str:
    """Return the name of a schema's class."""
    return (schema if isinstance(schema, type) else type(schema)).__name__


@singledispatch
def shape(field: Field[Any]) -> JsonSchema:
    """Return a field's JSON Schema by the type its class declares: `Field[int]` is an integer."""
    for kind in type(field).__mro__:
        for base in getattr(kind, "__orig_bases__", ()):
            for declared in get_args(base):
                return _declared(declared)
    return {}


def _declared(kind: Any) -> JsonSchema:
    """Return the schema of `int`, `int | None`, `list[int]` or `dict[str, int]`; {} for Any."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return {"type": [_TYPES[arg] for arg in args]}
    described: JsonSchema = {"type": _TYPES[origin or kind]} if (origin or kind) in _TYPES else {}
    if origin is list:
        described["items"] = _declared(args[0])
    if origin is dict and (values := _declared(args[1])):
        described["additionalProperties"] = values
    return described


@shape.register
def _(field: fields.EnumName) -> JsonSchema:
    return {"type": "string", "enum": list(field.by_word)}


@shape.register
def _(field: fields.Choice) -> JsonSchema:
    return {"type": "string", "enum": [str(word) for word in field.words]}


@shape.register
def _(field: fields.Boolean) -> JsonSchema:
    flag: JsonSchema = {"type": "boolean"}
    return flag if _is_output(field) else {"anyOf": [flag, {"type": "integer", "enum": [0, 1]}]}


@shape.register
def _(field: fields.Int) -> JsonSchema:
    number: JsonSchema = {"type": "integer", "format": "int64"}
    if _is_output(field):
        return number
    return {**number, "minimum": field.low, "maximum": field.high}


@shape.register
def _(field: fields.Text) -> JsonSchema:
    text: JsonSchema = {"type": "string"}
    if _is_output(field):
        return text
    if field.not_empty:
        text["minLength"] = 1
    if field.pattern:
        text["pattern"] = f"^{field.pattern.pattern}$"
    return {**text, "maxLength": field.longest}


@shape.register
def _(_field: Rules) -> JsonSchema:
    return {"type": "array", "items": {"type": "object"}, "maxItems": MOST_RULES}


@shape.register
def _(_field: Ids) -> JsonSchema:
    number = {"type": "integer", "format": "int64", "minimum": 1}
    return {"type": "array", "items": number, "maxItems": MOST_IDS}


@shape.register
def _(_field: Decision) -> JsonSchema:
    return {"type": "string", "enum": ["approve", "decline", "hold"]}


@shape.register
def _(_field: fields.UtcText) -> JsonSchema:
    return {"type": "string", "pattern": DATE_TIME}


@shape.register
def _(_field: Date) -> JsonSchema:
    return {"type": "string", "pattern": DATE}


@shape.register
def _(field: Events) -> JsonSchema:
    switches = {kind: {"type": "boolean"} for kind in _KINDS}
    named = {"type": "object", "properties": switches, "additionalProperties": False}
    if _is_output(field):
        return {**named, "required": _KINDS}
    return {"anyOf": [{"type": "array", "items": {"type": "string", "enum": _KINDS}}, named]}


@shape.register
def _(field: Addresses) -> JsonSchema:
    networks: JsonSchema = {"type": "array", "items": {"type": "string"}}
    return networks if _is_output(field) else {**networks, "maxItems": MOST_ADDRESSES}


def text_for(field: Field[Any]) -> JsonSchema | None:
    """Return how a form carries what JSON has as an object or a list; None for all other fields."""
    if isinstance(field, Settings | SubMap | Domains | Rules):
        return {"type": "string", "contentMediaType": "application/json"}
    if isinstance(field, Addresses | Ids):
        return {"type": "string"}
    if isinstance(field, Events):
        word = f"({'|'.join(_KINDS)})"
        return {"type": "string", "pattern": f"^({word}(,{word})*)?$"}
    return None


def _is_output(field: Field[Any]) -> bool:
    return isinstance(field.root, Output)
