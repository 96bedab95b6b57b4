"""`make run` as a person uses it: start, stop, start again."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from app.config import Settings
from app.local import run
from app.local.command import environment
from tests.support import ROOT


@pytest.fixture
def folder(tmp_path):
    """Too long for a socket, and with a space in it."""
    return tmp_path / ("a folder with a long name " * 3)


@pytest.fixture
def surroundings():
    ours = Settings.__slots__
    kept = {name: text for name, text in os.environ.items() if name.lower() not in ours}
    return {**kept, "WEB_CONCURRENCY": "1", "PUBLIC_URL": "http://127.0.0.1:9"} | {
        "TELEGRAM_API_URL": "http://127.0.0.1:9"
    }


def ask(system: run.RunningSystem, key: str) -> bytes:
    request = urllib.request.Request(
        f"{system.url}/api/profile/info.json", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        body: bytes = answer.read()
    return body


def refused(environ: dict[str, str], folder: Path, why: str) -> str:
    with pytest.raises(run.CannotRun, match=why) as told, run.running(environ, folder):
        pass
    return str(told.value)


def test_it_runs_stops_and_finds_its_data_again(surroundings, folder):
    with run.running(surroundings, folder) as system:
        assert b'"ok"' in ask(system, system.key)
        processes = [psutil.Process(one.pid) for one in system.processes.values()]
        processes += [child for one in processes for child in one.children(recursive=True)]
        refused(surroundings, folder, "already runs")
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive
    assert stat.S_IMODE((folder / "secret_key").stat().st_mode) == 0o600
    with run.running(surroundings, folder) as again:
        assert again.key == ""
        assert b'"ok"' in ask(again, system.key)


def test_a_port_that_is_taken_is_named(surroundings, folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        refused({**surroundings, "PORT": port}, folder, f"port {port} is taken")


@pytest.mark.parametrize("name", ["WORKERS", "PORT", "LOG_LEVEL"])
def test_a_wrong_setting_is_named_in_one_line(surroundings, folder, name):
    assert "\n" not in refused({**surroundings, name: "abc"}, folder, name)


def test_a_command_reaches_what_it_keeps(surroundings, folder):
    with run.running(surroundings, folder / "var") as system:
        given = environment({**surroundings, "PYTHONPATH": str(ROOT)}, folder)
        flask = [sys.executable, "-m", "flask", "--app", "wsgi", "account", "key"]
        made = subprocess.run(
            [*flask, "--login", "owner"], cwd=ROOT, env=given, capture_output=True, check=True
        )
        key = json.loads(made.stdout)["key"]
        assert key != system.key
        assert b'"ok"' in ask(system, key)


def test_what_a_killed_run_left_behind_is_cleared_away(surroundings, folder):
    program = (
        "import os, sys, time; from pathlib import Path; from app.local import run\n"
        "with run.running(dict(os.environ), Path(sys.argv[1])):\n"
        "    print('up', flush=True); time.sleep(600)"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT,
        env={**surroundings, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert first.stdout is not None
    with first.stdout:
        assert first.stdout.readline() == b"up\n"
    left = psutil.Process(first.pid).children(recursive=True)
    first.send_signal(signal.SIGKILL)
    first.wait()
    with run.running(surroundings, folder):
        deadline = time.monotonic() + 15
        while any(one.is_running() and one.status() != "zombie" for one in left):
            assert time.monotonic() < deadline
            time.sleep(0.1)
