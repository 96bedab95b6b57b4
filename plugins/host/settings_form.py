"""What a customer is asked for: a settings schema as plain data, for a form."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from marshmallow import Schema, fields, validate

#: marshmallow's classes and the `type` in a form; the first that fits is taken.
_TYPES: Final[tuple[tuple[type[fields.Field[Any]], str], ...]] = (
    (fields.Boolean, "flag"),
    (fields.Number, "number"),
    (fields.Nested, "object"),
    (fields.Mapping, "map"),
    (fields.List, "list"),
    (fields.String, "text"),
)


def title_of(schema: Schema, name: str) -> str:
    """The schema's class attribute `title`, or the tracker's name in words."""
    title = getattr(type(schema), "title", "")
    return title if isinstance(title, str) and title else name.replace("_", " ").capitalize()


def help_of(schema: Schema) -> str:
    """The docstring of the schema's own class, as one paragraph."""
    return " ".join((type(schema).__doc__ or "").split())


def texts_of(described: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield every title and help of fields that `fields_of` has described, to be translated."""
    for item in described:
        yield from (text for text in (item["title"], item["help"]) if text)
        yield from texts_of(item.get("fields", ()))


def fields_of(schema: Schema) -> list[dict[str, Any]]:
    """Every field that a customer fills in, in order.

    Each has `name title help type required secret`, and where they apply
    `default`, `choices` (of a list, those of its items; of a map, its names)
    and, for an object, its own `fields`.
    """
    return [
        _described(field.data_key or name, field)
        for name, field in schema.fields.items()
        if "scheme_of" not in field.metadata and not field.dump_only
    ]


def _described(name: str, field: fields.Field[Any]) -> dict[str, Any]:
    type_ = next((word for kind, word in _TYPES if isinstance(field, kind)), "value")
    described: dict[str, Any] = {
        "name": name,
        "title": _text(field.metadata.get("title")) or name.replace("_", " ").capitalize(),
        "help": _text(field.metadata.get("help")),
        "type": type_,
        "required": bool(field.required),
        "secret": bool(field.metadata.get("secret")),
    }
    if isinstance(field.load_default, str | int | float):
        described["default"] = field.load_default
    if choices := _choices(field):
        described["choices"] = choices
    if isinstance(field, fields.Nested) and not field.many:
        described["fields"] = fields_of(field.schema)
    return described


def _choices(field: fields.Field[Any]) -> list[str]:
    """What can be chosen, or nothing where anything can be typed."""
    fields_with_rules = [field]
    if isinstance(field, fields.List):
        fields_with_rules.append(field.inner)
    elif isinstance(field, fields.Mapping) and field.key_field:
        fields_with_rules.append(field.key_field)
    for rule in (rule for item in fields_with_rules for rule in item.validators):
        if isinstance(rule, validate.OneOf):
            return [str(choice) for choice in rule.choices]
    return []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
