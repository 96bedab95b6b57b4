"""What is tested is what runs: the locks agree with each other and with the ranges."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support import ROOT

LOCKS = {
    "requirements.txt": "",
    "requirements-embedded.txt": "embedded",
    "requirements-dev.txt": "dev",
    "requirements-otel.txt": "otel",
    "requirements-sentry.txt": "sentry",
}
EXTRA = re.compile(r"%\((\w+)\)s")


def _ranges(extra: str) -> list[Requirement]:
    """What setup.cfg wants for the product and for one of its extras."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].split("\n")
    waiting = [extra] if extra else []
    while waiting:
        for line in config["options.extras_require"][waiting.pop()].split("\n"):
            if other := EXTRA.fullmatch(line.strip()):
                waiting.append(other[1])
            else:
                lines.append(line)
    return [Requirement(line) for line in lines if line.strip()]


def _locked(name: str) -> dict[str, str]:
    """The pins of a lock, each with its marker and hashes, as they stand there."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.split("==")[0].partition("[")[0]: " ".join(line.split()) for line in lines}


def _version(pin: str) -> str:
    return pin.split("==")[1].split(maxsplit=1)[0]


@pytest.mark.parametrize(("lock", "extra"), LOCKS.items())
def test_a_lock_holds_every_range_and_lies_inside_it(lock, extra):
    pins = _locked(lock)
    for wanted in _ranges(extra):
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        assert name in pins, f"{name} is in setup.cfg and not in {lock}: make upgrade"
        assert wanted.specifier.contains(_version(pins[name]), prereleases=True), (
            f"{lock} has {name} {_version(pins[name])}, setup.cfg wants {wanted.specifier}"
        )


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock):
    assert [name for name, pin in _locked(lock).items() if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("lock", sorted(set(LOCKS) - {"requirements-dev.txt"}))
def test_what_a_paas_installs_is_part_of_what_is_tested(lock):
    everything = _locked("requirements-dev.txt")
    other = {name for name, pin in _locked(lock).items() if everything.get(name) != pin}
    assert other == set(), "make upgrade compiles all of them together"


def test_the_makefile_installs_from_the_locks():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for lock in LOCKS:
        assert lock in makefile
    installs = re.findall(r"^\t\$\(INSTALL\) (.*)$", makefile, re.MULTILINE)
    assert installs
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install, install


def _installed(folder: Path, lines: str) -> list[str]:
    """How bin/post_compile calls pip for these lines, and the plugins it then names."""
    (folder / "bin").mkdir(exist_ok=True)
    for name in ("bin/post_compile", "requirements.txt", "requirements-otel.txt"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "requirements-plugins.txt").write_text(lines)
    python, calls = folder / "python", folder / "calls"
    python.write_text(
        f'#!/bin/sh\nshift 4; echo "$@" | sed "s| [^ ]*tmp[^ ]*||" >> "{calls}"\n'
        'for last; do :; done; case $last in ./.*) grep -v "^#" "$last" >> calls;; esac\n'
    )
    python.chmod(0o755)
    calls.unlink(missing_ok=True)
    subprocess.run(
        ["sh", folder / "bin/post_compile"], check=True, env=os.environ | {"PYTHON": str(python)}
    )
    assert not list(folder.glob(".plugins.*"))
    return calls.read_text().splitlines() if calls.exists() else []


def test_a_lock_of_ours_is_one_line_and_keeps_its_hashes_beside_plugins_without(tmp_path):
    otel = "--require-hashes -r requirements-otel.txt"
    assert _installed(tmp_path, "# nothing\n") == []
    assert _installed(tmp_path, "# traces\n-r requirements-otel.txt\n") == [otel]
    both = _installed(tmp_path, "a-plugin==1.0\n-r requirements-otel.txt\n")
    assert both[0] == otel
    assert both[1].startswith("--constraint -r ./.plugins.")
    assert both[2:] == ["a-plugin==1.0"]


def test_the_python_of_a_paas_is_the_oldest_that_is_claimed():
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg")
    python = (ROOT / ".python-version").read_text("utf-8").strip()
    assert config["options"]["python_requires"] == f">={python}"
    assert config["mypy"]["python_version"] == python
