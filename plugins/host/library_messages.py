"""marshmallow's own messages, made translatable.

marshmallow fills the values into its templates before anybody sees them. So the
templates of a schema are replaced by texts that keep their template when they
are filled in: `make_translatable` does it for a schema, also for that of a plugin.
"""

import copy
import functools
import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final, Self

import marshmallow
from marshmallow import fields, validate

from plugins.contract import TranslatableText

_PLACEHOLDER: Final = re.compile(r"\{(\w+)(!r)?\}")
#: The attributes in which marshmallow's validators keep their templates.
_TEMPLATES: Final = ("error", "message_min", "message_max", "message_all", "message_equal")
#: A schema may nest itself; deeper than this its messages stay in English.
_MAX_DEPTH: Final = 8


class LibraryMessage(TranslatableText):
    """A template of marshmallow, with {name} for each value that `format` fills in."""

    __slots__ = ()

    def __new__(cls, template: str, /) -> Self:
        """Keep `template` as it is: it has no terms yet."""
        return super().__new__(cls, template)

    def format(self, *_: object, **values: object) -> TranslatableText:  # type: ignore[override]
        """The message with its values; only those that the template names are kept."""
        template = str.__str__(self)
        placeholders = _PLACEHOLDER.findall(template)
        # An author's own error may hold more of a format; then it stays in English.
        if "{" in _PLACEHOLDER.sub("", template) or not values.keys() >= {
            name for name, _ in placeholders
        }:
            return TranslatableText(template.format(**values))
        terms = {
            name: repr(values[name]) if as_repr else values[name] for name, as_repr in placeholders
        }
        return TranslatableText(to_catalogue(template), **terms)


def to_catalogue(template: str) -> str:
    """Return a template of marshmallow in the catalogue's form: {max} becomes %(max)s."""
    if not _PLACEHOLDER.search(template):
        return str.__str__(template)
    return _PLACEHOLDER.sub(r"%(\1)s", template.replace("%", "%%"))


def make_translatable(schema: marshmallow.Schema, depth: int = 0) -> None:
    """Make all messages of this schema instance, its fields and validators translatable."""
    schema.error_messages = _all_translatable(schema.error_messages)
    for field in schema.fields.values():
        make_field_translatable(field, depth)


def make_field_translatable(field: fields.Field[Any], depth: int = 0) -> None:
    """The same for one field that is bound to a schema, and for the fields inside it."""
    field.error_messages = _all_translatable(field.error_messages)
    field.validators = [_translatable_validator(rule) for rule in field.validators]
    if isinstance(field, fields.Tuple):
        field.validate_length = _translatable_validator(field.validate_length)
    if isinstance(field, fields.Nested):
        if depth < _MAX_DEPTH:
            make_translatable(field.schema, depth + 1)
        return
    for inner in _inner_fields(field):
        make_field_translatable(inner, depth)


def _inner_fields(field: fields.Field[Any]) -> Iterator[fields.Field[Any]]:
    if isinstance(field, fields.List):
        yield field.inner
    elif isinstance(field, fields.Mapping):
        yield from filter(None, (field.key_field, field.value_field))
    elif isinstance(field, fields.Tuple):
        yield from field.tuple_fields


def _all_translatable(messages: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _translatable_text(text) for key, text in messages.items()}


def _translatable_text(text: Any) -> Any:
    is_plain = isinstance(text, str) and not isinstance(text, TranslatableText)
    return _library_message(text) if is_plain else text


@functools.lru_cache(maxsize=1024)
def _library_message(text: str) -> LibraryMessage:
    """Cached: the schema of an endpoint is made for every request."""
    return LibraryMessage(text)


def _translatable_validator(rule: Any) -> Any:
    """A copy of the validator: the schema class shares the original with other instances."""
    if not isinstance(rule, validate.Validator):
        return rule
    rule = copy.copy(rule)
    for name in _TEMPLATES:
        if isinstance(text := getattr(rule, name, None), str):
            setattr(rule, name, _translatable_text(text))
    return rule


def templates() -> set[str]:
    """Return every template of the installed marshmallow, as the catalogue has it."""
    collected: set[str] = {*marshmallow.Schema._default_error_messages.values()}  # noqa: SLF001
    for kind in (*vars(fields).values(), *vars(validate).values()):
        if isinstance(kind, type):
            collected.update(getattr(kind, "default_error_messages", {}).values())
            collected.update(filter(None, (vars(kind).get("default_message"),)))
    collected.update(
        text for name, text in vars(validate.Length).items() if name.startswith("message")
    )
    collected.update(_range_templates())
    return {to_catalogue(text) for text in collected}


def _range_templates() -> Iterator[str]:
    for low, high in product((True, False), repeat=2):
        rule = validate.Range(0, 0, min_inclusive=low, max_inclusive=high)
        yield from (rule.message_min, rule.message_max, rule.message_all)
