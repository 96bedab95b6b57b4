"""The documents say what the code does.

docs/plugins.md has its own test beside the plugins, the settings theirs in
test_promises.
"""

import ast
import re

import pytest

from app import errors, models
from tests.guards import record_api, write_tree
from tests.support import ROOT

DOCS = ROOT / "docs"
EXAMPLE = ROOT / "examples" / "gatepost-example-tracker"
SHELVES = ("blueprints", "schemas", "services", "domain", "outbound", "models")


@pytest.fixture(scope="module")
def app():
    return record_api.application()


def text(name: str) -> str:
    return (DOCS / name).read_text()


# docs/api.md


def test_the_api_answers_as_it_is_written_down():
    written = text("api.md").partition(record_api.MARK)[2].strip()
    assert written == record_api.recorded().strip(), "python -m tests.guards.record_api"


def test_every_endpoint_has_an_answer_written_down(app):
    parts = text("api.md").split("\n### ")
    answered = {part.partition("\n")[0] for part in parts if "```http" in part}
    silent = [
        f"{method} {path}"
        for method, path, _ in record_api.endpoints(app)
        if f"{method} {path}" not in answered
    ]
    assert not silent, "let tests/guards/record_api.py play them"


def test_every_error_code_is_explained():
    codes = {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ApiError)
    }
    table = text("api.md").partition("\n## Errors\n")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert explained == codes


# docs/operating.md


def test_every_command_is_explained(app):
    commands = {
        name if not hasattr(command, "commands") else f"{name} {verb}"
        for name in ("account", "payment", "plugins", "postbacks", "updates", "doctor")
        for command in [app.cli.commands[name]]
        for verb in getattr(command, "commands", [""])
    }
    written = text("operating.md")
    assert not {command for command in commands if f"flask --app wsgi {command}" not in written}


def test_all_commands_are_known_here(app):
    """`db` is Flask-Migrate's; the rest is Flask's own."""
    assert set(app.cli.commands) <= {
        "account",
        "payment",
        "plugins",
        "postbacks",
        "updates",
        "secrets",
        "doctor",
        "db",
    }


# docs/architecture.md


def test_the_tree_is_the_tree():
    assert write_tree.written() == write_tree.tree(), "python -m tests.guards.write_tree"


def test_what_architecture_names_exists():
    named = re.findall(rf"`((?:{'|'.join(SHELVES)})/[\w/]+)\.(\w+)`", text("architecture.md"))
    assert len(named) > 10
    missing = [f"{path}.{name}" for path, name in named if name not in ("py", *_names_in(path))]
    assert not missing


def _names_in(path: str) -> set[str]:
    """Functions, classes and methods of a module, or of a package's modules."""
    file = ROOT / "app" / f"{path}.py"
    files = [file] if file.exists() else list((ROOT / "app" / path).glob("*.py"))
    return {
        node.name
        for one in files
        for node in ast.walk(ast.parse(one.read_text()))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def test_every_table_is_described():
    rows = re.findall(r"^\| (`.+?`) \|", text("architecture.md"), re.MULTILINE)
    described = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert set(models.Base.metadata.tables) <= described


def test_every_word_of_the_glossary_is_explained_once():
    glossary = text("architecture.md").partition("## Glossary")[2].partition("\n## ")[0]
    words = re.findall(r"^\| \*\*(\w+)\*\* \|", glossary, re.MULTILINE)
    assert len(words) == len(set(words)) > 10


# docs/decisions.md


def test_decisions_are_numbered_dated_and_short():
    parts = re.split(r"^## ", text("decisions.md"), flags=re.MULTILINE)[1:]
    for number, part in enumerate(parts, 1):
        title, _, body = part.strip().partition("\n")
        assert re.fullmatch(rf"{number}\. .+ \(\d{{4}}-\d\d-\d\d\)", title), title
        assert len(body.strip().splitlines()) <= 6, title
        told = [body.find(word) for word in ("**Context.**", "**Decision.**", "**Consequence.**")]
        assert told == sorted(told), title
        assert told[0] >= 0, title


# docs/adding-a-tracker.md


def test_the_guide_shows_the_example_as_it_is():
    sources = "\n".join(
        path.read_text() for path in EXAMPLE.rglob("*") if path.suffix in (".py", ".cfg", ".toml")
    )
    blocks = re.findall(r"```(?:python|ini|toml)\n(.*?)```", text("adding-a-tracker.md"), re.DOTALL)
    assert len(blocks) > 4
    foreign = [block for block in blocks if block.strip() not in sources]
    assert not foreign


# The others


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"])
def test_what_a_stranger_looks_for_is_there(name):
    assert (ROOT / name).read_text().strip()


def test_links_of_the_root_documents_lead_somewhere():
    for document in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (ROOT / target).exists(), f"{document.name}: {target}"


def test_every_document_is_linked_from_another():
    documents = [*ROOT.glob("*.md"), *DOCS.glob("*.md")]
    for document in DOCS.glob("*.md"):
        others = "".join(one.read_text() for one in documents if one != document)
        assert f"{document.name})" in others, document.name
