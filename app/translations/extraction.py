"""Where the sentences of `foreign` are found: in the code below us, which does not import us.

Nothing of it runs in production; see `__main__`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Final

import marshmallow
from marshmallow import fields, validate

from app.outbound import curl_handle
from app.outbound.addresses import METADATA, SPECIAL
from app.outbound.urls import REFUSED_PORTS
from app.translations.foreign import VALUE

#: What a sentence is told by, and its place among the arguments.
SPEAKERS: Final[Mapping[str, int]] = {
    "ValidationError": 0,
    "ValueError": 0,
    "UnknownTracker": 0,
    "AddressRefused": 0,
    "Refused": 0,
    "BuyerUnknown": 0,
    "Unsendable": 1,
    "Outcome": 1,
}
#: Modules all of whose answers a customer may be told in an error.
OUTCOMES: Final = ("altercpa_lite.py", "contract.py")
#: Functions that return a sentence, or a part of one.
TELLERS: Final = (
    *("_problem", "_condition_problem", "_answer_problem", "_reason", "_bad_name", "_bad_port"),
    *("_malformed", "_failure"),
)
#: What this one says is for the author of an adapter.
SILENT: Final = "checks.py"


def found(root: Path) -> Iterator[tuple[str, str]]:
    """Each sentence and the file it is in, of the folders `plugins` and `app/outbound`."""
    for text in sorted(set(_of_marshmallow())):
        yield text, "marshmallow"
    names = {row.name for row in (*METADATA, *SPECIAL)}
    names |= {name for name in REFUSED_PORTS.values() if name[0].islower()}  # no proper names
    tls = curl_handle._TLS.values()  # noqa: SLF001
    for text in (*sorted(names), *tls, curl_handle.COULD_NOT_CONNECT):
        yield text, "app/outbound"
    for path in sorted((*root.glob("plugins/*.py"), *root.glob("app/outbound/*.py"))):
        for text in _of_code(path) if path.name != SILENT else ():
            if any(letter.isalpha() for letter in VALUE.sub("", text)):
                yield text, str(path.relative_to(root))


def _of_marshmallow() -> Iterator[str]:
    for field in vars(fields).values():
        yield from _templates(getattr(field, "default_error_messages", {}))
    yield from _templates(marshmallow.Schema._default_error_messages)  # noqa: SLF001
    for rule in vars(validate).values():
        told = {name: text for name, text in _members(rule) if name == "default_message"}
        yield from _templates(told)
    yield from _templates({n: t for n, t in _members(validate.Length) if n.startswith("message_")})
    yield from _templates(dict(enumerate(_of_ranges())))


def _members(kind: object) -> list[tuple[str, Any]]:
    return list(vars(kind).items()) if isinstance(kind, type) else []


def _of_ranges() -> Iterator[str]:
    """Marshmallow puts these together from pieces."""
    from_, to = (validate.Range.message_gte, validate.Range.message_gt), (
        validate.Range.message_lte, validate.Range.message_lt,
    )  # fmt: skip
    yield from (validate.Range.message_min.format(min_op=low) for low in from_)
    yield from (validate.Range.message_max.format(max_op=high) for high in to)
    for low, high in product(from_, to):
        yield validate.Range.message_all.format(min_op=low, max_op=high)


def _templates(messages: Mapping[Any, str]) -> Iterator[str]:
    """{max} becomes %(max)s."""
    for text in messages.values():
        yield text.replace("!r}", "}").replace("{", "%(").replace("}", ")s")


def _of_code(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, path.name)
        elif isinstance(node, ast.FunctionDef) and node.name in TELLERS:
            for one in ast.walk(node):
                if isinstance(one, ast.Return) and one.value:
                    yield from _texts(one.value)


def _of_call(call: ast.Call, file: str) -> Iterator[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    place = SPEAKERS.get(name)
    if place is not None and len(call.args) > place and (name != "Outcome" or file in OUTCOMES):
        yield from _texts(call.args[place])
    for keyword in call.keywords:
        if keyword.arg == "error" and isinstance(call.func, ast.Attribute):
            yield from _texts(keyword.value)


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression can be: its own, or those of its branches and items."""
    if isinstance(node, ast.JoinedStr):
        yield _template(node)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.Tuple | ast.List):
        for one in node.elts:
            yield from _texts(one)
    elif isinstance(node, ast.Dict):
        for one in node.values:
            yield from _texts(one)


def _template(text: ast.JoinedStr) -> str:
    """An f-string with a %(name)s for each of its values."""
    made, names = "", set[str]()
    for part in text.values:
        if isinstance(part, ast.FormattedValue):
            name = _name(part.value)
            while name in names:
                name += "_"
            names.add(name)
            made += f"%({name})s"
        elif isinstance(part, ast.Constant):
            made += str(part.value)
    return made


def _name(value: ast.expr) -> str:
    """What a value is called: by its own name, or by that of what it is taken from."""
    if isinstance(value, ast.Attribute):
        return value.attr.strip("_").lower()
    if isinstance(value, ast.Name):
        return value.id.strip("_").lower()
    if isinstance(value, ast.Call) and value.args:
        return _name(value.args[0])
    if isinstance(value, ast.Subscript):
        return _name(value.value)
    return "value"
