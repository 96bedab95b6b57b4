"""Callers that arrive together share one commit, and each learns how its own item went."""

import sqlite3
import threading
from collections.abc import Callable, Sequence

import pytest

from app.services.updates.group_commit import GroupCommit, NotCommitted


class Recorder:
    """A commit that records its batches. While `gate` is closed, it waits."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, items: Sequence[int]) -> None:
        self.batches.append(list(items))
        self.entered.set()
        assert self.gate.wait(60)
        if 13 in items:
            raise sqlite3.OperationalError("thirteen")


def start(target: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=target)
    thread.start()
    return thread


def queue_up(group: GroupCommit[int], items: Sequence[int]) -> tuple[list[threading.Thread], dict]:
    """Let each item be put by a thread of its own. Returns threads, and faults by item."""
    faults: dict[int, BaseException | None] = {}

    def put(item: int) -> None:
        try:
            group.put(item)
        except (sqlite3.Error, NotCommitted) as fault:
            faults[item] = fault
        else:
            faults[item] = None

    threads = []
    for count, item in enumerate(items, len(group._queue) + 1):
        threads.append(start(lambda item=item: put(item)))
        while len(group._queue) < count:  # in this order
            threading.Event().wait(0.001)
    return threads, faults


def test_a_lone_caller_commits_its_own_item_at_once() -> None:
    commit = Recorder()
    GroupCommit(commit).put(1)
    assert commit.batches == [[1]]


def test_those_that_come_during_a_commit_share_the_next() -> None:
    commit = Recorder()
    group = GroupCommit(commit)
    commit.gate.clear()
    leader = start(lambda: group.put(1))
    assert commit.entered.wait(60)
    threads, faults = queue_up(group, [2, 3, 4])
    assert commit.batches == [[1]]
    commit.gate.set()
    for thread in [leader, *threads]:
        thread.join(60)
    assert commit.batches == [[1], [2, 3, 4]]
    assert faults == {2: None, 3: None, 4: None}


def test_every_caller_of_a_failed_commit_gets_its_fault_and_the_next_one_works() -> None:
    commit = Recorder()
    group = GroupCommit(commit)
    commit.gate.clear()
    leader = start(lambda: group.put(1))
    assert commit.entered.wait(60)
    threads, faults = queue_up(group, [13, 14])
    commit.gate.set()
    for thread in [leader, *threads]:
        thread.join(60)
    assert {item: str(fault) for item, fault in faults.items()} == {13: "thirteen", 14: "thirteen"}
    group.put(15)
    assert commit.batches[-1] == [15]


def test_an_interrupted_leader_raises_and_its_followers_are_told() -> None:
    entered, gate = threading.Event(), threading.Event()
    batches = []

    def commit(items: Sequence[int]) -> None:
        batches.append(list(items))
        if items == [1]:
            entered.set()
            assert gate.wait(60)
        elif 2 in items:
            raise KeyboardInterrupt

    group: GroupCommit[int] = GroupCommit(commit)
    leader = start(lambda: group.put(1))
    assert entered.wait(60)
    interrupted: list[type[BaseException]] = []

    def second() -> None:
        try:
            group.put(2)
        except BaseException as fault:  # noqa: BLE001 - an interruption is what is tested
            interrupted.append(type(fault))

    second_thread = start(second)
    while not group._queue:
        threading.Event().wait(0.001)
    threads, faults = queue_up(group, [3])
    gate.set()
    for thread in [leader, second_thread, *threads]:
        thread.join(60)
    assert interrupted == [KeyboardInterrupt]
    assert "interrupted" in str(faults[3])
    group.put(4)
    assert batches[-1] == [4]


@pytest.mark.parametrize("callers", [2, 24])
def test_many_callers_at_once_lose_nothing(callers: int) -> None:
    commit = Recorder()
    group = GroupCommit(commit)
    threads = [
        start(lambda first=first: [group.put(first * 1000 + n) for n in range(100)])
        for first in range(100, 100 + callers)
    ]
    for thread in threads:
        thread.join(60)
    stored = [item for batch in commit.batches for item in batch]
    assert sorted(stored) == [
        first * 1000 + n for first in range(100, 100 + callers) for n in range(100)
    ]
