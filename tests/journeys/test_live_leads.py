"""The example that watches leads does what its first lines say, with the API alone."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.config import Settings
from app.local import run
from app.local.run import RunningSystem
from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.sandbox.telegram.server import BotApiDouble
from tests.support import ROOT
from tests.support.waiting import PATIENCE

EXAMPLE = ROOT / "examples" / "live_leads.py"
TOKEN = "7000000021:a-token-that-only-the-double-knows"
CHAT = Chat(-1001000000021, "Live")
ANN = Person(21_001, username="ann")
BOB = Person(21_002)


class Watcher:
    """The example at work; `says` waits for its next line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def says(self) -> str:
        return self._lines.get(timeout=PATIENCE)

    def tells(self) -> list[str]:
        """A line about a lead, without its date and time."""
        return self.says().split()[2:]

    def interrupt(self) -> int:
        """Press Ctrl-C, again if it came while Python was cleaning up, where it is ignored."""
        for _ in range(int(PATIENCE)):
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self.process.wait(1)
        raise AssertionError("Ctrl-C does not end it")


def environ_of(system: RunningSystem, **changes: str) -> dict[str, str]:
    ours = {"GATEPOST": f"{system.url}/", "KEY": system.key, "NO_PROXY": "*", **changes}
    return {name: text for name, text in os.environ.items() if "proxy" not in name.lower()} | ours


@contextmanager
def watching(environ: dict[str, str]) -> Iterator[Watcher]:
    command = [sys.executable, str(EXAMPLE), TOKEN]
    # In the background of a shell Ctrl-C is ignored, and so it would be by what is started there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, env=environ, text=True, stdout=subprocess.PIPE) as process:
        signal.signal(signal.SIGINT, before)
        try:
            yield Watcher(process)
        finally:
            process.kill()


def refused(environ: dict[str, str], *arguments: str) -> str:
    """What it says when it gives up at once."""
    command = [sys.executable, str(EXAMPLE), *arguments]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def bot_api() -> Iterator[BotApiDouble]:
    double = BotApiDouble()
    double.add_bot(TOKEN, "live_bot")
    with running(double) as url:
        double.url = url  # type: ignore[attr-defined]
        yield double


@pytest.fixture
def system(bot_api: Any, tmp_path: Path) -> Iterator[RunningSystem]:
    ours = {field.name.upper() for field in fields(Settings)}
    kept = {name: text for name, text in os.environ.items() if name not in ours}
    kept |= {"OUTBOUND_ALLOW": "127.0.0.0/8", "WEB_CONCURRENCY": "1", "LOG_LEVEL": "warning"}
    with run.running(kept | {"TELEGRAM_API_URL": bot_api.url}, tmp_path) as running_system:
        yield running_system


@pytest.fixture
def push(bot_api: BotApiDouble) -> Callable[[dict[str, Any]], None]:
    return lambda update: bot_api.push(TOKEN, update)


def test_leads_are_printed_as_people_come_and_go(
    system: RunningSystem, push: Callable[[dict[str, Any]], None]
) -> None:
    environ = environ_of(system)
    with watching(environ) as watcher:
        assert watcher.says() == "Make @live_bot an administrator of your channel or group."
        push(people.bot_rights(CHAT, True))
        while (told := watcher.says()).startswith("Make "):
            pass
        link = urlsplit(told.removeprefix("Follow "))
        assert (link.hostname, link.path) == ("t.me", "/live_bot")
        (start,) = parse_qs(link.query)["start"]
        push(people.start(ANN, start))
        assert watcher.tells() == ["wait", "ann", "test1"]
        push(people.join(ANN, CHAT))
        assert watcher.tells() == ["approve", "ann", "test1"]
        push(people.start(BOB, start.replace("test1", "other")))
        assert watcher.tells() == ["wait", str(BOB.id), "other"]
        push(people.leave(ANN, CHAT))
        assert watcher.tells() == ["cancel", "ann", "test1"]
        watcher.interrupt()
    with watching(environ) as again:
        assert urlsplit(again.says().removeprefix("Follow ")) == link
        assert [again.tells()[:2] for _ in range(2)] == [["cancel", "ann"], ["wait", str(BOB.id)]]

    assert "Telegram refused this token" in refused(environ, "77:unknown")
    wrong = environ_of(system, KEY="1-wrong")
    assert "the API key is missing or wrong" in refused(wrong, TOKEN)
