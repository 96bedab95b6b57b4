"""What is written down in two places says the same in both."""

import dataclasses
import importlib
import json
import re

import pytest

from app.config import VERSION, Settings
from app.queues import Queue
from tests.support import ROOT

VARIABLES = {field.name.upper() for field in dataclasses.fields(Settings)}


def test_the_example_environment_lists_every_setting_and_no_other():
    text = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", text, re.MULTILINE)) == VARIABLES


def test_every_setting_is_read_from_the_variable_of_its_name():
    read = re.findall(r'read\(\s*"([A-Z_]+)"', (ROOT / "app/config.py").read_text())
    assert set(read) == VARIABLES


def test_the_operators_guide_explains_every_setting():
    text = (ROOT / "docs/operating.md").read_text()
    assert not {name for name in VARIABLES if f"`{name}`" not in text}


@pytest.mark.parametrize("queue", Queue)
def test_every_queue_is_drained_by_a_job_that_exists(queue):
    module, _, name = queue.job.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("document", ["README.md", "docs/operating.md", ".ci/run"])
def test_every_make_command_that_is_mentioned_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = (ROOT / document).read_text()
    mentioned = {
        word
        for line in re.findall(r"(?:`|^|\d )make ([a-z ]+)", text, re.MULTILINE)
        for word in line.split()
    }
    assert mentioned
    assert mentioned <= targets


def test_make_help_tells_of_every_command():
    text = (ROOT / "Makefile").read_text()
    told = set(re.findall(r"^([a-z-]+):.*##", text, re.MULTILINE))
    assert told == set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


def test_links_between_documents_lead_somewhere():
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_version_is_one():
    for file in ("setup.cfg", "plugins/pyproject.toml"):
        text = (ROOT / file).read_text()
        assert re.findall(r'^version = "?([0-9.dev]+)"?$', text, re.MULTILINE) == [VERSION], file


def test_the_procfile_has_the_three_lines():
    names = [line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()]
    assert names == ["release", "web", "worker"]


def test_app_json_sets_only_variables_that_are_read():
    of_the_web_line = set(re.findall(r"\$\{(GRANIAN_[A-Z_]+)", (ROOT / "Procfile").read_text()))
    env = json.loads((ROOT / "app.json").read_text())["env"]
    assert set(env) <= VARIABLES | of_the_web_line


def test_modules_stay_small_enough_to_read():
    long = {
        str(path.relative_to(ROOT)): length
        for folder in ("app", "plugins")
        for path in (ROOT / folder).rglob("*.py")
        if (length := len(path.read_text().splitlines())) > 300
    }
    assert not long
