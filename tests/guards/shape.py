"""The shape of the code in numbers; `make shape` prints them.

`test_shape.py` holds the limits. All paths are relative to the repository root.
"""

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from tests.support import ROOT

PACKAGES: Final = ("app", "plugins")
_BROAD: Final = ("Exception", "BaseException")


class Sized(NamedTuple):
    """A module or a function and its number of lines, or a class and its number of attributes."""

    lines: int
    name: str


@cache
def modules() -> dict[str, ast.Module]:
    """The syntax tree of every module of the product, by path."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def module_sizes() -> list[Sized]:
    """Modules that are not empty, the longest first."""
    sizes = (Sized(len((ROOT / path).read_text().splitlines()), path) for path in modules())
    return sorted((one for one in sizes if one.lines), reverse=True)


def function_sizes() -> list[Sized]:
    """Functions and methods without their decorators, the longest first."""
    return sorted(
        (
            Sized((node.end_lineno or node.lineno) - node.lineno + 1, f"{path}:{node.name}")
            for path, tree in modules().items()
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        reverse=True,
    )


def mirror_of(path: str) -> str:
    """Where the test module of a module stands."""
    folder, _, name = path.rpartition("/")
    return f"tests/{folder}/test_{name.lstrip('_')}"


def modules_to_test() -> list[str]:
    """Modules that should have a test module: all but `__init__` and `__main__`."""
    return [path for path in modules() if not path.endswith(("__init__.py", "__main__.py"))]


def has_test(path: str) -> bool:
    """Whether a test module stands at the mirrored path of a module, with a test in it."""
    mirror = ROOT / mirror_of(path)
    if not mirror.exists():
        return False
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(
        (isinstance(node, functions) and node.name.startswith("test_"))
        or (isinstance(node, ast.ClassDef) and node.name.startswith("Test"))
        for node in ast.parse(mirror.read_text()).body
    )


@cache
def without_test() -> list[str]:
    """Modules that have no test module of their own."""
    return [path for path in modules_to_test() if not has_test(path)]


def files_per_folder() -> Counter[str]:
    """Python files of each folder but `__init__.py`."""
    return Counter(
        path.rpartition("/")[0] for path in modules() if not path.endswith("__init__.py")
    )


def broad_excepts() -> list[str]:
    """Where `Exception` or `BaseException` is caught, as path:line."""
    return [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type)
    ]


def _is_broad(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(map(_is_broad, caught.elts))
    return caught is None or (isinstance(caught, ast.Name) and caught.id in _BROAD)


def attributes_per_class() -> list[Sized]:
    """Classes by how many attributes their methods set on `self`, the most first."""
    return sorted(
        (
            Sized(len(set(_own_attributes(node))), f"{path}:{node.name}")
            for path, tree in modules().items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        ),
        reverse=True,
    )


def _own_attributes(tree: ast.ClassDef) -> Iterator[str]:
    for node in ast.walk(tree):
        is_set = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if is_set and isinstance(node.value, ast.Name) and node.value.id == "self":
            yield node.attr


def circles() -> list[list[str]]:
    """Groups of modules that import each other while they are loaded."""
    graph = {path: set(_imports(path)) for path in modules()}
    reached = {path: _reachable(path, graph) for path in graph}
    groups = {
        tuple(sorted(other for other in reached[path] if path in reached[other]))
        for path in graph
        if path in reached[path]
    }
    return [list(group) for group in sorted(groups)]


def _reachable(start: str, graph: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [*graph[start]]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += graph[path]
    return seen


def _imports(path: str) -> Iterator[str]:
    """Modules of the product that a module imports at its top level."""
    for node in _loaded(modules()[path].body):
        if isinstance(node, ast.Import):
            yield from filter(None, (_file_of(alias.name) for alias in node.names))
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                target = _file_of(f"{node.module}.{alias.name}") or _file_of(node.module)
                if target and target != path:
                    yield target


def _loaded(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when a module is loaded; not what only a type checker reads."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _loaded(node.orelse)
        else:
            for field in ("body", "orelse", "finalbody"):
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _loaded(getattr(node, field, []))


def _file_of(dotted: str) -> str | None:
    base = dotted.replace(".", "/")
    return next((path for path in (f"{base}.py", f"{base}/__init__.py") if path in modules()), None)


def report() -> Iterator[str]:
    """What `make shape` prints."""
    for title, sizes in (("modules", module_sizes()), ("functions", function_sizes())):
        lines = [one.lines for one in sizes]
        p90 = statistics.quantiles(lines, n=10)[-1]
        median = statistics.median(lines)
        yield (
            f"{title}: {len(lines)}; lines median {median:g}, p90 {p90:g},"
            f" max {lines[0]} ({sizes[0].name})"
        )
    total, missing = len(modules_to_test()), len(without_test())
    yield f"product lines: {sum(one.lines for one in module_sizes())}"
    yield f"mirrored tests: {total - missing} of {total} ({1 - missing / total:.0%})"
    yield f"import circles: {len(circles())}"
    folder, most = files_per_folder().most_common(1)[0]
    over = sum(count > 12 for count in files_per_folder().values())
    yield f"files per folder: max {most} ({folder}), {over} folders over 12"
    most_attributes = attributes_per_class()[0]
    yield f"attributes of a class: max {most_attributes.lines} ({most_attributes.name})"
    yield f"broad excepts: {len(broad_excepts())}"


if __name__ == "__main__":
    sys.stdout.write("\n".join(report()) + "\n")
