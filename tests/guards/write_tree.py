"""The tree in docs/architecture.md, from the first line of each module.

`python -m tests.guards.write_tree` rewrites it.
"""

import ast
import re
import sys
from pathlib import Path
from typing import Final

from tests.support import ROOT

DOCUMENT: Final = ROOT / "docs" / "architecture.md"
WIDTH: Final = 24
_BLOCK: Final = re.compile(r"(## The tree\n.*?```\n)(.*?)(```)", re.DOTALL)


def tree() -> str:
    """Every module of app and plugins with what it says of itself."""
    lines = []
    for package in ("app", "plugins"):
        lines += [*_folder(ROOT / package, 0), ""]
    return "\n".join(lines[:-1]) + "\n"


def _folder(folder: Path, depth: int) -> list[str]:
    lines = [_line(f"{folder.name}/", folder / "__init__.py", depth)]
    lines += [
        _line(file.name, file, depth + 1)
        for file in sorted(folder.glob("*.py"))
        if file.name != "__init__.py"
    ]
    packages = sorted(one for one in folder.iterdir() if (one / "__init__.py").exists())
    for package in packages:
        lines += _folder(package, depth + 1)
    return lines


def _line(name: str, file: Path, depth: int) -> str:
    said = ast.get_docstring(ast.parse(file.read_text())) or ""
    about = re.split(r"\n\n|(?<=[.;])\n", said)[0].replace("\n", " ").rstrip(".")
    return f"{'  ' * depth + name:<{WIDTH}} {about}".rstrip()


def written() -> str:
    """The tree as the document has it."""
    found = _BLOCK.search(DOCUMENT.read_text())
    return found[2] if found else ""


def main() -> int:
    """Rewrite the document's tree."""
    said = DOCUMENT.read_text()
    DOCUMENT.write_text(_BLOCK.sub(lambda found: found[1] + tree() + found[3], said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
