"""The two bases, and `load`: from a request to checked values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson
from flask import request
from marshmallow import EXCLUDE, Schema

from app.auth import KEY
from app.errors import ApiError, TooLarge

MAX_BODY: Final = 256 * 1024
MAX_DEPTH: Final = 20


class UnreadableBody(ApiError):
    """The body is neither a JSON object nor a form."""

    code = "param"
    default = "the body must be a JSON object or a form"


class Input(Schema):
    """Parameters of one endpoint. Unknown ones are ignored."""

    class Meta:
        """Options of marshmallow."""

        unknown = EXCLUDE


class Output(Schema):
    """Public fields of one kind of object."""


def load(schema: Input) -> dict[str, Any]:
    """The checked parameters: of the query for GET, of the body for POST.

    Raises marshmallow's ValidationError, UnreadableBody or TooLarge; the
    envelope answers all of them.
    """
    raw = _query() if request.method in ("GET", "HEAD") else _body()
    loaded: dict[str, Any] = schema.load(raw)
    return loaded


def _query() -> Mapping[str, Any]:
    """The query; its `id` is the object's, for the key is an `id` too."""
    raw: dict[str, Any] = request.args.to_dict()
    objects = [value for value in request.args.getlist("id") if not KEY.fullmatch(value)]
    if objects:
        raw["id"] = objects[0]
    else:
        raw.pop("id", None)
    return raw


def _body() -> Mapping[str, Any]:
    request.max_content_length = MAX_BODY
    request.max_form_memory_size = MAX_BODY
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return request.form.to_dict()
    body = request.get_data()
    if not body.strip():
        return {}
    if not request.is_json:
        raise UnreadableBody
    return parse_object(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse one JSON object of bounded size and depth. Raises as `load` does."""
    if len(body) > MAX_BODY:
        raise TooLarge
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableBody from error
    if not isinstance(parsed, dict):
        raise UnreadableBody
    _refuse_depth(parsed)
    return parsed


def _refuse_depth(parsed: object) -> None:
    level: list[object] = [parsed]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise UnreadableBody("the body is nested too deeply")


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
