"""What each view under /api/ takes and answers, read from its source.

A view is a guard, `load(Schema())`, one service call and `success(Schema().dump(…))`
or `page(…)`: it names its schemas already, so nobody lists them again. What a
view answers without a schema is described in `app.web.openapi.responses`.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask

from app.schemas import Input, Output
from app.web.openapi.responses import (
    NUMBER,
    ODD,
    TEXTS,
    WORDS,
    Answer,
    JsonSchema,
    Made,
    Rows,
    record,
)

PREFIX: Final = "/api/"
#: The document does not describe itself.
UNTOLD: Final = frozenset({"docs"})


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One method of one path. `answer` is None where it could not be read."""

    method: str
    path: str
    endpoint: str
    guard: str
    group: str
    about: str  #: what the group is, for people
    summary: str
    takes: type[Input] | None
    answer: Answer | None


def endpoints(app: Flask) -> Iterator[Endpoint]:
    """Every endpoint under /api/, in the order of registration."""
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(PREFIX) or rule.endpoint.partition(".")[0] in UNTOLD:
            continue
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield _endpoint(method, rule.rule, rule.endpoint, view)


def _endpoint(method: str, path: str, endpoint: str, view: Any) -> Endpoint:
    bare = inspect.unwrap(view)
    source = _Source(inspect.getsource(bare), bare.__globals__)
    module = (inspect.getdoc(inspect.getmodule(bare)) or "").partition("\n")[0]
    return Endpoint(
        method=method,
        path=path,
        endpoint=endpoint,
        guard=getattr(view, "guard", ""),
        group=path.split("/")[2],
        about=module.partition(": ")[2],
        summary=inspect.getdoc(bare) or "",
        takes=source.takes(),
        answer=ODD[endpoint] if endpoint in ODD else source.answer(),
    )


class _Source:
    """The source of a view, and the schemas it names."""

    def __init__(self, text: str, names: Mapping[str, Any]) -> None:
        self._tree = ast.parse(textwrap.dedent(text))
        self._names = names

    def takes(self) -> type[Input] | None:
        """The schema of its `load(…)`."""
        for call in self._calls("load"):
            made = call.args[0]
            if isinstance(made, ast.Call):
                found: type[Input] = self._names[ast.unparse(made.func)]
                return found
        return None

    def answer(self) -> Answer | None:
        """What its `page(…)` or its `success(…)` say; None if that is not plain to see."""
        for call in self._calls("page"):
            rows = self._data(call.args[0])
            return Answer(rows, top={"total": NUMBER}) if rows else None
        said = list(self._calls("success"))
        beside = [word for call in said for word in call.keywords]
        if not said or not all(map(_is_with_warnings, beside)):
            return None
        top = {"warnings": TEXTS} if beside else {}
        with_data = [call.args[0] for call in said if call.args]
        if not with_data:
            return Answer(top_sometimes=top)
        data = self._data(with_data[0])
        some = len(with_data) < len(said)
        return Answer(data, sometimes=some, top_sometimes=top) if data else None

    def _calls(self, name: str) -> Iterator[ast.Call]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                yield node

    def _data(self, node: ast.expr) -> Rows | Made | JsonSchema | None:
        if isinstance(node, ast.Dict):
            words = [ast.literal_eval(key) for key in node.keys if key]
            return record(**{word: WORDS[word] for word in words}) if {*words} <= {*WORDS} else None
        calls = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
        named = [self._names.get(ast.unparse(func)) for func in calls]
        made = [one for one in named if isinstance(one, type) and issubclass(one, Output)]
        if "many=True" in ast.unparse(node) and made:
            return Rows(made[0])
        return Made(tuple(made)) if made else None


def _is_with_warnings(word: ast.keyword) -> bool:
    """Whether this is `**with_warnings(…)`."""
    return word.arg is None and ast.unparse(word.value).startswith("with_warnings(")
