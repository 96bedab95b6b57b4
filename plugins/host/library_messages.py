"""marshmallow's own messages, made translatable.

marshmallow fills the values into its templates before anybody sees them. So the
templates of a schema are replaced by texts that remember themselves when they
are filled in: `mark` does it for one schema or field, also for a stranger's.
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

_PLACE: Final = re.compile(r"\{(\w+)(!r)?\}")
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
        places = _PLACE.findall(template)
        # An author's own error may hold more of a format; then it stays in English.
        if "{" in _PLACE.sub("", template) or not values.keys() >= {name for name, _ in places}:
            return TranslatableText(template.format(**values))
        terms = {name: repr(values[name]) if as_repr else values[name] for name, as_repr in places}
        return TranslatableText(to_catalogue(template), **terms)


def to_catalogue(template: str) -> str:
    """Return a template of marshmallow in the catalogue's form: {max} becomes %(max)s."""
    if not _PLACE.search(template):
        return str.__str__(template)
    return _PLACE.sub(r"%(\1)s", template.replace("%", "%%"))


def mark(schema: marshmallow.Schema, depth: int = 0) -> None:
    """Make all messages of this schema instance, its fields and validators translatable."""
    schema.error_messages = _marked(schema.error_messages)
    for field in schema.fields.values():
        mark_field(field, depth)


def mark_field(field: fields.Field[Any], depth: int = 0) -> None:
    """As `mark`, for one field that is bound to a schema, and for the fields inside it."""
    field.error_messages = _marked(field.error_messages)
    field.validators = [_marked_validator(rule) for rule in field.validators]
    if isinstance(field, fields.Tuple):
        field.validate_length = _marked_validator(field.validate_length)
    if isinstance(field, fields.Nested):
        if depth < _MAX_DEPTH:
            mark(field.schema, depth + 1)
        return
    for inner in _inner_fields(field):
        mark_field(inner, depth)


def _inner_fields(field: fields.Field[Any]) -> Iterator[fields.Field[Any]]:
    if isinstance(field, fields.List):
        yield field.inner
    elif isinstance(field, fields.Mapping):
        yield from filter(None, (field.key_field, field.value_field))
    elif isinstance(field, fields.Tuple):
        yield from field.tuple_fields


def _marked(messages: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _marked_text(text) for key, text in messages.items()}


def _marked_text(text: Any) -> Any:
    is_plain = isinstance(text, str) and not isinstance(text, TranslatableText)
    return _library_message(text) if is_plain else text


@functools.lru_cache(maxsize=1024)
def _library_message(text: str) -> LibraryMessage:
    """Remembered: the schema of an endpoint is made for every request."""
    return LibraryMessage(text)


def _marked_validator(rule: Any) -> Any:
    """A copy of the validator: the schema class shares the original with other instances."""
    if not isinstance(rule, validate.Validator):
        return rule
    rule = copy.copy(rule)
    for name in _TEMPLATES:
        if isinstance(text := getattr(rule, name, None), str):
            setattr(rule, name, _marked_text(text))
    return rule


def templates() -> set[str]:
    """Return every template of the installed marshmallow, as the catalogue has it."""
    found: set[str] = {*marshmallow.Schema._default_error_messages.values()}  # noqa: SLF001
    for kind in (*vars(fields).values(), *vars(validate).values()):
        if isinstance(kind, type):
            found.update(getattr(kind, "default_error_messages", {}).values())
            found.update(filter(None, (vars(kind).get("default_message"),)))
    found.update(text for name, text in vars(validate.Length).items() if name.startswith("message"))
    found.update(_range_templates())
    return {to_catalogue(text) for text in found}


def _range_templates() -> Iterator[str]:
    for low, high in product((True, False), repeat=2):
        rule = validate.Range(0, 0, min_inclusive=low, max_inclusive=high)
        yield from (rule.message_min, rule.message_max, rule.message_all)
