"""The OpenAPI document of an application."""

import inspect
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from apispec import APISpec
from flask import Flask

from app import errors
from app.errors import ApiError
from app.schemas import Input, Output
from app.web.openapi.endpoints import PREFIX, Endpoint, endpoints
from app.web.openapi.json_schema import Converter, Plugin, name_of, text_for
from app.web.openapi.responses import NUMBER, TEXT, TEXTS, Answer, JsonSchema, listing
from plugins.contract import PROJECT

API_VERSION: Final = "1"
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
BEARER: Final[JsonSchema] = {"bearer": []}
KEY: Final[JsonSchema] = {"key": []}

ABOUT: Final = """\
GET reads, POST writes. Every answer has HTTP status 200 and a `status` of its own: \
`ok`, with `data` where there is any, or `error`, with a code in `error` and a sentence in \
`message`.

A POST takes JSON or a form with the same fields; a form holds an object as its JSON text. \
Numbers may be text, flags may be 1 and 0. Unknown parameters are ignored.

Times in answers are UTC, `YYYY-MM-DD HH:MM:SS`, and never is `0000-00-00 00:00:00`; \
times in filters are Unix seconds.
"""


def describe(app: Flask) -> dict[str, Any]:
    """Return the document; it is made once for each application."""
    if "openapi" not in app.extensions:
        app.extensions["openapi"] = _Writer(app).document()
    document: dict[str, Any] = app.extensions["openapi"]
    return document


class _Writer:
    def __init__(self, app: Flask) -> None:
        self._endpoints = list(endpoints(app))
        self._plugin = Plugin()
        self._names = dict(_names(self._endpoints))
        groups: dict[str, str] = {}
        for endpoint in self._endpoints:
            groups.setdefault(endpoint.group, endpoint.about)
        self._spec = APISpec(
            title=f"{PROJECT.capitalize()} API",
            version=API_VERSION,
            openapi_version="3.1.0",
            plugins=[self._plugin],
            info={"description": ABOUT},
            servers=[{"url": "/"}],
            tags=[{"name": name, "description": about} for name, about in groups.items()],
        )

    def document(self) -> dict[str, Any]:
        """Return the whole document."""
        components = self._spec.components
        components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
        components.security_scheme("key", {"type": "apiKey", "in": "query", "name": "id"})
        components.schema("Error", _error())
        for endpoint in self._endpoints:
            self._spec.path(
                endpoint.path, operations={endpoint.method.lower(): self._operation(endpoint)}
            )
        return self._spec.to_dict()

    def _operation(self, endpoint: Endpoint) -> JsonSchema:
        operation: JsonSchema = {
            "operationId": self._names[endpoint],
            "tags": [endpoint.group],
            "summary": endpoint.summary.partition("\n")[0],
            "description": endpoint.summary,
            "security": _security(endpoint.guard),
            "responses": {"200": self._response(endpoint)},
        }
        if endpoint.method == "GET" and endpoint.takes:
            operation["parameters"] = [{"in": "query", "schema": endpoint.takes()}]
        if endpoint.method == "POST" and (body := self._body(endpoint)):
            operation["requestBody"] = body
        return operation

    def _body(self, endpoint: Endpoint) -> JsonSchema | None:
        if endpoint.body is not None:
            return {"content": {kind: {"schema": schema} for kind, schema in endpoint.body.items()}}
        if endpoint.takes is None:
            return None
        schema = endpoint.takes()
        required = any(field.required for field in schema.fields.values())
        content = {JSON: {"schema": schema}, FORM: {"schema": self._as_form(schema)}}
        return {"required": required, "content": content}

    def _as_form(self, schema: Input) -> str:
        """Add the schema by another name, with objects as the text that a form holds.

        With one name for both, generated clients could not tell which is meant.
        """
        name = f"{name_of(schema)}Form"
        if name not in self._spec.components.schemas:
            described = self._converter.schema2jsonschema(schema)
            texts = {
                field.data_key or key: text
                for key, field in schema.fields.items()
                if (text := text_for(field))
            }
            described["properties"] |= texts
            self._spec.components.schema(name, described)
        return name

    def _response(self, endpoint: Endpoint) -> JsonSchema:
        answer = endpoint.answer or Answer({})  # anything, where a view says nothing
        error = {"$ref": "#/components/schemas/Error"}
        if answer.media != JSON:
            content = {answer.media: {"schema": TEXT}, JSON: {"schema": error}}
            return {"description": "The answer, or an error.", "content": content}
        name = f"{self._title(endpoint)}Answer" if answer != Answer() else "Done"
        if name not in self._spec.components.schemas:
            self._spec.components.schema(name, self._success(answer))
        either = {"oneOf": [{"$ref": f"#/components/schemas/{name}"}, error]}
        return {"description": "The answer, or an error.", "content": {JSON: {"schema": either}}}

    def _success(self, answer: Answer) -> JsonSchema:
        members = {"status": {"const": "ok"}, **answer.top, **answer.top_optional}
        members["warnings"] = TEXTS  # of unknown parameters, everywhere
        required = ["status", *answer.top]
        if answer.data is not None:
            data = answer.data if isinstance(answer.data, dict) else self._reference(answer.data)
            members["data"] = listing(data) if answer.many else data
            required += [] if answer.optional else ["data"]
        return {
            "type": "object",
            "properties": members,
            "required": required,
            "additionalProperties": False,
        }

    def _title(self, endpoint: Endpoint) -> str:
        return "".join(part.capitalize() for part in self._names[endpoint].split("_"))

    def _reference(self, schema: type[Output]) -> JsonSchema:
        reference: JsonSchema = self._converter.resolve_nested_schema(schema())  # type: ignore[no-untyped-call]
        return reference

    @property
    def _converter(self) -> Converter:
        converter = self._plugin.converter
        assert isinstance(converter, Converter)  # noqa: S101 - the APISpec has made it
        return converter


def _names(endpoints: list[Endpoint]) -> Iterator[tuple[Endpoint, str]]:
    """Name each endpoint for generated clients, by its path: `camp_list`."""
    methods = Counter(endpoint.path for endpoint in endpoints)
    for endpoint in endpoints:
        name = endpoint.path.removeprefix(PREFIX).partition(".")[0].replace("/", "_")
        both = methods[endpoint.path] > 1 and endpoint.method == "POST"
        yield endpoint, f"{name}_post" if both else name


def _security(guard: str) -> list[JsonSchema]:
    if guard.startswith("api_key"):
        return [BEARER, KEY]
    return [BEARER] if guard == "session" else []


def _error() -> JsonSchema:
    codes = dict(error_codes())
    return {
        "type": "object",
        "description": "What is wrong, for programs in `error` and for people in `message`.",
        "properties": {
            "status": {"const": "error"},
            "error": {
                "type": "string",
                "enum": list(codes),
                "description": "\n".join(
                    f"- `{code}`: {meaning}" for code, meaning in codes.items()
                ),
            },
            "message": TEXT,
            "field": {**TEXT, "description": "With `param`: which parameter."},
            "retry_after": {**NUMBER, "description": "With `rate` and `db`: seconds to wait."},
            "request_id": {
                **TEXT,
                "description": "With `server`: for the operator, who finds it in the log.",
            },
        },
        "required": ["status", "error", "message"],
    }


def error_codes() -> Iterator[tuple[str, str]]:
    """Yield every error code of the API with its meanings."""
    kinds = [
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, ApiError)
    ]
    for code in dict.fromkeys(kind.code for kind in kinds):
        meanings = dict.fromkeys(kind.default for kind in kinds if kind.code == code)
        yield code, "; ".join(meanings)
