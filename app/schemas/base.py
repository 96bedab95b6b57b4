"""The two bases, and `load`: from a request to checked values."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from flask import g, request
from marshmallow import EXCLUDE, Schema

from app.domain.storable_text import sanitize
from app.errors import TooLarge, translatable
from app.schemas import fields
from app.schemas.parsing import MAX_BODY, UnreadableBody, parse_object, parse_pairs
from app.web.auth import KEY
from plugins.host import library_messages

MOST_UNKNOWN: Final = 10


class Input(Schema):
    """Parameters of one endpoint. Unknown ones are ignored, and named in `warnings`."""

    class Meta:
        """Options of marshmallow."""

        unknown = EXCLUDE


class ById(Input):
    """Which of the account's bots, campaigns and so on, by its id."""

    id = fields.Int(1, required=True)


class Pause(ById):
    """Pause with 1, resume with 0."""

    pause = fields.Boolean(required=True)


class Output(Schema):
    """Public fields of one kind of object."""


class OfRow(Output):
    """An Output of a value with a row: fields are of `row`, but those `beside` it."""

    row: ClassVar[str]
    beside: ClassVar[frozenset[str]]

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read a field from the row, or from beside it."""
        holder = obj if attr in self.beside else getattr(obj, self.row)
        return super().get_attribute(holder, attr, default)


def load(schema: Input) -> dict[str, Any]:
    """Return the checked parameters: of the query for GET, of the body for POST.

    Raises marshmallow's ValidationError, BadParameter, UnreadableBody or
    TooLarge; `app.web.responses` turns them into answers.
    """
    raw = _query() if request.method in ("GET", "HEAD") else _body()
    library_messages.make_translatable(schema)
    loaded: dict[str, Any] = schema.load(raw)
    names = {field.data_key or name for name, field in schema.load_fields.items()}
    g.unknown_parameters = [name for name in raw if name not in names]
    return loaded


def unknown_parameters() -> list[str]:
    """Return a sentence for each parameter of this request that no schema took, ten at most."""
    names = g.get("unknown_parameters", [])[:MOST_UNKNOWN]
    return [
        translatable("%(name)s: is not known here and was ignored", name=sanitize(name, 64))
        for name in names
    ]


def _query() -> Mapping[str, Any]:
    """Return the query without the API key, which may be a second `id`."""
    pairs = parse_pairs(request.query_string)
    return _firsts([pair for pair in pairs if not (pair[0] == "id" and KEY.fullmatch(pair[1]))])


def _body() -> Mapping[str, Any]:
    if (request.content_length or 0) > MAX_BODY:
        raise TooLarge
    # One byte more: werkzeug cuts a body without a declared length at its limit, without a word.
    request.max_content_length = MAX_BODY + 1
    request.max_form_memory_size = MAX_BODY
    if request.mimetype == "multipart/form-data":
        return request.form.to_dict()
    body = request.get_data()
    if len(body) > MAX_BODY:
        raise TooLarge
    if request.mimetype == "application/x-www-form-urlencoded":
        if body and request.content_length is None:  # nobody can tell half of it from all
            raise UnreadableBody(translatable("a form must say how long it is, by Content-Length"))
        return _firsts(parse_pairs(body))
    if not body.strip():
        return {}
    if not request.is_json:
        raise UnreadableBody
    return parse_object(body)


def _firsts(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the pairs as a mapping; of a name that occurs twice the first value counts."""
    firsts: dict[str, str] = {}
    for name, value in pairs:
        firsts.setdefault(name, value)
    return firsts
