"""The endpoints under /api/, with what their decorators say they take and answer."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask

from app.schemas import Input
from app.web.openapi.responses import Answer, JsonSchema

PREFIX: Final = "/api/"
#: Blueprints that the document leaves out: its own, and AdTarget's API, whose answers have
#: another shape.
EXCLUDED: Final = frozenset({"docs", "adtarget"})


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One method of one path. `answer` is None where no decorator describes it."""

    method: str
    path: str
    name: str  #: Flask's: `blueprint.view`
    guard: str
    about: str  #: what its group of endpoints is, for people
    summary: str
    takes: type[Input] | None
    body: Mapping[str, JsonSchema] | None  #: by media type, where no schema parses it
    answer: Answer | None

    @property
    def group(self) -> str:
        """The first part of the path after the prefix."""
        return self.path.removeprefix(PREFIX).partition("/")[0]


def endpoints(app: Flask) -> Iterator[Endpoint]:
    """Every endpoint under /api/, in the order of registration."""
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(PREFIX) or rule.endpoint.partition(".")[0] in EXCLUDED:
            continue
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield _endpoint(method, rule.rule, rule.endpoint, view)


def _endpoint(method: str, path: str, name: str, view: Any) -> Endpoint:
    module = (inspect.getdoc(inspect.getmodule(view)) or "").partition("\n")[0]
    return Endpoint(
        method=method,
        path=path,
        name=name,
        guard=getattr(view, "guard", ""),
        about=module.partition(": ")[2],
        summary=inspect.getdoc(view) or "",
        takes=getattr(view, "takes", None),
        body=getattr(view, "body", None),
        answer=getattr(view, "answer", None),
    )
