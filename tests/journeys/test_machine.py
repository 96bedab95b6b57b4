"""The machine fails us: its clock is set by an hour, back and forth, or its disk is full."""

import contextlib
import shlex
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.models import UpdateState
from tests.journeys.crowd import Member, Sender, crowd
from tests.journeys.system import Door, System
from tests.support.waiting import eventually

HOUR = 3600
DISK_BYTES = 24 * 1024 * 1024
WAITING = "SELECT count(*) FROM telegram_update WHERE state = :waiting"
QUERY = "status={status}&who={subscriber}&eid={event_id}"


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def jumping(request, start_system) -> System:
    """A system whose workers read a clock that the test sets."""
    line = f"{shlex.quote(sys.executable)} tests/journeys/jumping_worker.py"
    started: System = start_system(request.param, worker=line)
    return started


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    with contextlib.suppress(OSError):
        if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
            yield folder
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
            return
    pytest.skip("only root may mount a disk to fill")


@pytest.fixture(scope="module")
def on_disk(start_system: Callable[..., System], disk: Path) -> System:
    """A system whose SQLite file is alone on that disk."""
    return start_system("sqlite", DATABASE_URL=f"sqlite:///{disk}/gatepost.db")


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """Leave no byte of the disk."""
    ballast = disk / "ballast"
    try:
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            for size in (65_536, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"x" * size):
                        pass
        yield
    finally:
        ballast.unlink()


def empties_log(file: Path) -> bool:
    """Whether the write-ahead log could be written back and cut to nothing."""
    with contextlib.closing(sqlite3.connect(file, timeout=20, isolation_level=None)) as connection:
        return connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def open_door(system: System, tracker: Any, number: int) -> Door:
    """A bot and campaign whose postbacks arrive below `/<number>/`."""
    template = f"{tracker.url}/{number}/pb?{QUERY}"
    return system.open_door(system.account("owner"), f"{number}:the-token-of-a-bot", template)


def events(tracker: Any, number: int) -> Counter[tuple[int, str]]:
    """Of how many events the tracker heard, by person and status: one key is one event."""
    hits = tracker.log(f"/{number}/")
    keys = {(int(hit.query["who"]), hit.query["status"], hit.query["eid"]) for hit in hits}
    return Counter((who, status) for who, status, _ in keys)


def owed(members: list[Member]) -> Counter[tuple[int, str]]:
    return Counter((one.person.id, status) for one in members for status in one.reports)


def all_arrive(tracker: Any, number: int, members: list[Member]) -> None:
    eventually(lambda: events(tracker, number) >= owed(members), 30, "the last postback")


def test_a_clock_that_is_set_loses_nothing_and_sends_nothing_under_two_keys(jumping, tracker):
    number = 301 if "postgresql" in jumping.environ["DATABASE_URL"] else 302
    door = open_door(jumping, tracker, number)
    members: list[Member] = []

    def send(wrong: int) -> None:
        members.extend(part := crowd([door], 12))
        sender = Sender(jumping.port, part)
        sender.release(sender.total // 2)
        (jumping.folder / "clock").write_text(str(wrong))
        sender.finish()
        eventually(
            lambda: jumping.one(WAITING, waiting=int(UpdateState.WAITING)) == 0,
            30,
            "the last decision",
        )

    for wrong in (-HOUR, 0, HOUR):  # each time amid what is on its way
        send(wrong)
    all_arrive(tracker, number, members)
    send(0)  # what was written by the clock of an hour later is in nobody's way
    all_arrive(tracker, number, members)
    assert events(tracker, number) == owed(members)
    span = jumping.one("SELECT max(created) - min(created) FROM postback")
    assert span > 2 * HOUR - 600, "the clock was never set"


def test_a_full_disk_is_refused_as_an_outage_and_loses_nothing(on_disk, disk, tracker):
    number = 303
    members = crowd([open_door(on_disk, tracker, number)], 60)
    sender = Sender(on_disk.port, members)
    sender.release(sender.total // 2)
    eventually(lambda: len(sender.accepted) > 20, 20, "some acceptance")
    # Without room that the write-ahead log has from before, the next commit needs more.
    eventually(lambda: empties_log(disk / "gatepost.db"), 20, "an empty write-ahead log")
    with full(disk):
        sender.release(sender.total // 4)
        eventually(lambda: sender.refusals[503] > 10, 20, "refusals")
    sender.finish()
    assert set(sender.refusals) == {503}
    all_arrive(tracker, number, members)
    assert events(tracker, number) == owed(members)
