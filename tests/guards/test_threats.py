"""docs/threats.md names a test for everything that it says is held, and each of them exists."""

import ast
import re

import pytest

from tests.support import ROOT

TEXT = (ROOT / "docs/threats.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)))
#: Rows of the tables that name what somebody may attempt.
ATTEMPTS = [
    line
    for table in re.findall(r"\| attempt \| held by \|\n\|---\|---\|\n((?:\|.*\n)+)", TEXT)
    for line in table.splitlines()
]


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str):
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert name in functions


def test_every_attempt_names_its_test_and_nothing_else():
    assert len(ATTEMPTS) > 30
    row = re.compile(r"\| [^|`]+(?:`\w+`[^|`]*)* \| `tests/\S+::\w+`(?:, `tests/\S+::\w+`)* \|")
    assert [line for line in ATTEMPTS if not row.fullmatch(line)] == []


def test_every_actor_has_a_table_of_attempts():
    actors = re.findall(r"^## (?:A|Who|The)\w* .*$", TEXT, re.MULTILINE)
    assert len(actors) >= 8
    assert len(re.findall(r"\| attempt \| held by \|", TEXT)) == len(actors)


def test_security_md_and_the_threats_lead_to_each_other():
    security = (ROOT / "SECURITY.md").read_text("utf-8")
    assert "(docs/threats.md)" in security
    assert "(../SECURITY.md)" in TEXT
    for part in ("promise", "do not promise", "Reporting", "release is signed off"):
        assert re.search(rf"^## .*{part}", security, re.MULTILINE), part


def test_the_files_and_commands_that_security_md_names_exist():
    security = (ROOT / "SECURITY.md").read_text("utf-8")
    for path in re.findall(r"`((?:tests|docs|\.ci)/[\w./]+)`", security):
        assert (ROOT / path.rstrip("/")).exists(), path
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make ([a-z-]+)`", security):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
