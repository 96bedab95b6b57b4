"""The image has what the Procfile's lines need; compose and systemd's units start each of them."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.config import Settings
from tests.support import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yml").read_text())
PROCFILE = dict(
    line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line
)


def copied() -> set[str]:
    """What the Dockerfile takes from the folder into the image that runs."""
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    lines = re.findall(r"^COPY (?!--)(.+) \S+$", final, re.MULTILINE)
    return {name for line in lines for name in line.split()}


@pytest.fixture
def image(tmp_path) -> Path:
    """The image's folder, without what is not copied."""
    for name in copied():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    """Only what a container has."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "DATABASE_URL": f"sqlite:///{folder}/gatepost.db",
        "REDIS_URL": "redis://localhost",
        "SECRET_KEY": "k" * 32,
        "PYTHONSAFEPATH": "",
        "LOG_FORMAT": "json",
    }


def entry(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    """Start the image's entry point with a line's name."""
    line = re.search(r"^ENTRYPOINT (\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert line
    return subprocess.run(
        [*json.loads(line[1]), name],
        cwd=folder, env=environment(folder), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_image_migrates_and_loads_with_nothing_else_beside_it(image):
    done = entry(image, "release")
    assert done.returncode == 0, done.stderr[-2000:]
    load = "import wsgi, app, pathlib; print(pathlib.Path(app.__file__).parents[1])"
    loaded = subprocess.run(
        [sys.executable, "-c", load],
        cwd=image, env=environment(image), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr[-2000:]
    assert Path(loaded.stdout.strip()).resolve() == image.resolve(), "not the folder beside it"


def test_the_ignore_file_lets_through_what_is_copied():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == copied() | {
        "requirements.txt",
        "requirements-plugins.txt",
        "requirements-otel.txt",
        "requirements-sentry.txt",
        "bin",
    }


def test_it_does_not_run_as_root_and_says_whether_it_is_well():
    assert re.search(r"^USER (?!root|0)", DOCKERFILE, re.MULTILINE)
    health = re.search(r"^HEALTHCHECK [^\[]*(\[.+\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert health
    program = json.loads(health[1].splitlines()[0])
    assert program[:2] == ["python", "-c"]
    compile(program[2], "HEALTHCHECK", "exec")


def test_compose_starts_each_line_of_the_procfile():
    started = {
        service["command"][0]
        for service in COMPOSE["services"].values()
        if service.get("image") == "gatepost"
    }
    assert started == set(PROCFILE)


def test_compose_sets_only_variables_that_are_read():
    assert {name.lower() for name in COMPOSE["x-gatepost"]["environment"]} <= set(
        Settings.__slots__
    )


def arguments(command: list[str], folder: Path) -> list[str]:
    """What a command gives to `python` in the end."""
    python = folder / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"')
    python.chmod(0o755)
    environ = {"PATH": f"{folder}{os.pathsep}{os.defpath}", "PORT": "8123"}
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", ["web", "worker"])
def test_the_unit_for_systemd_starts_a_line_as_a_platform_does(name, tmp_path):
    unit = (ROOT / "docs" / "deploying.md").read_text().partition("```ini\n")[2]
    start = re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    assert start
    command = shlex.split(start[1].replace("web", name))  # systemd leaves `$(` alone
    line = arguments(["/bin/sh", "-c", f"exec {PROCFILE[name]}"], tmp_path)
    assert arguments(command, tmp_path) == line
    assert "8123" in line or name == "worker"
