"""Decorators that say what an endpoint takes and answers, and do the parsing and dumping.

A view is written as guard, `takes`, `answers` and one service call:

    @blueprint.get("/list.json")
    @api_key
    @takes(BotsList)
    @answers(BotOut, many=True)
    def listed(params: Params) -> object:
        ...

The OpenAPI document reads what the decorators were given from the attributes
`takes`, `body` and `answer` of the view; `functools.wraps` carries them outwards.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from flask import Response

from app.schemas import Input, Output, load
from app.translations import translated
from app.web.openapi.responses import NUMBER, TEXTS, Answer, JsonSchema
from app.web.responses import page, success

Params = dict[str, Any]
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
View = TypeVar("View", bound=Callable[..., Any])


class WithWarnings(NamedTuple):
    """The result of a call that succeeded, and what the caller should look at."""

    result: object
    warnings: Sequence[str]


def with_warnings(warnings: Sequence[str], result: object = None) -> WithWarnings:
    """Return `result` for a view decorated with `answers(…, warnings=True)`."""
    return WithWarnings(result, warnings)


def takes(
    schema: type[Input],
) -> Callable[[Callable[Concatenate[Params, Arguments], Result]], Callable[Arguments, Result]]:
    """Call the view with the parameters that `schema` has checked.

    They come from the query of a GET and from the body of a POST; what the path names follows
    them. The view raises what `app.schemas.load` raises.
    """
    instance = schema()

    def decorate(
        view: Callable[Concatenate[Params, Arguments], Result],
    ) -> Callable[Arguments, Result]:
        @wraps(view)
        def parse(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            return view(load(instance), *args, **kwargs)

        parse.takes = schema  # type: ignore[attr-defined]
        return parse

    return decorate


def answers(
    schema: type[Output] | None = None,
    *,
    many: bool = False,
    optional: bool = False,
    warnings: bool = False,
) -> Callable[[Callable[Arguments, Any]], Callable[Arguments, Response]]:
    """Answer with what the view returns, as `schema` shows it; without one, with no data.

    `many`: the view returns a list. `optional`: it may return None, and the answer has no
    data then. `warnings`: it returns `with_warnings(…)`.
    """
    instance = schema(many=many) if schema else None
    answer = Answer(schema, many, optional, top_optional={"warnings": TEXTS} if warnings else {})

    def decorate(view: Callable[Arguments, Any]) -> Callable[Arguments, Response]:
        @wraps(view)
        def respond(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Response:
            result = view(*args, **kwargs)
            top: dict[str, object] = {}
            if isinstance(result, WithWarnings):
                warnings = [translated(warning) for warning in result.warnings]
                top = {"warnings": warnings} if warnings else {}
                result = result.result
            if instance is None or (optional and result is None):
                return success(**top)
            return success(instance.dump(result), **top)

        return describes(answer)(respond)

    return decorate


def answers_page(
    schema: type[Output],
) -> Callable[[Callable[Arguments, Any]], Callable[Arguments, Response]]:
    """Answer with the rows of the `Page` that the view returns, and how many there are in all."""
    instance = schema(many=True)
    answer = Answer(schema, many=True, top={"total": NUMBER})

    def decorate(view: Callable[Arguments, Any]) -> Callable[Arguments, Response]:
        @wraps(view)
        def respond(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Response:
            result = view(*args, **kwargs)
            return page(instance.dump(result.rows), result.total)

        return describes(answer)(respond)

    return decorate


def describes(answer: Answer) -> Callable[[View], View]:
    """Describe the answer of a view that makes its Response itself."""

    def decorate(view: View) -> View:
        view.answer = answer  # type: ignore[attr-defined]
        return view

    return decorate


def describes_body(body: Mapping[str, JsonSchema]) -> Callable[[View], View]:
    """Describe, by media type, the body of a view that reads it itself."""

    def decorate(view: View) -> View:
        view.body = body  # type: ignore[attr-defined]
        return view

    return decorate
