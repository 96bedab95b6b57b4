"""worker.py with a death wish: its drains stop themselves at named points.

Nothing of the application is changed for it: SQLAlchemy tells of commits, and what commits
aside and the transport are exchanged for such that tell of commits, requests and answers. Which
visit to a point is the last is seeded.

CRASH_FOLDER holds `armed` while deaths are wanted, and `deaths`: one line for
each. CRASH_SEED, CRASH_EACH (deaths per role and point), CRASH_POINTS
(`postbacks.after_send,…`), CRASH_VISITS (the last is one of the first so many),
CRASH_SIGNAL (9 kills, 19 freezes).
"""

import multiprocessing
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from app import jobs
from app.outbound.transport import Answer, Transport
from app.services.delivery.commits import CommitsAside, Work
from app.services.join_requests.telling import sender
from app.worker import rq_worker, supervisor
from plugins.contract import Request

FOLDER = Path(os.environ["CRASH_FOLDER"])
EACH = int(os.environ["CRASH_EACH"])
SIGNAL = int(os.environ["CRASH_SIGNAL"])
POINTS = os.environ["CRASH_POINTS"].split(",")
VISITS = int(os.environ["CRASH_VISITS"])


class Fate:
    """Where and when this process will die. Made by the first visit to any point."""

    def __init__(self, role: str) -> None:
        chance = random.Random(f"{os.environ['CRASH_SEED']} {role} {self._deaths().total()}")
        self._visits = {point: chance.randint(1, VISITS) for point in POINTS}

    def visit(self, point: str) -> None:
        """Die, if enough visits were made and a death is still wanted at this point."""
        if point not in self._visits or not (FOLDER / "armed").exists():
            return
        self._visits[point] -= 1
        if self._visits[point] > 0 or self._deaths()[point] >= EACH:
            return
        with (FOLDER / "deaths").open("a") as book:
            book.write(f"{point} {os.getpid()}\n")
        os.kill(os.getpid(), SIGNAL)

    @staticmethod
    def _deaths() -> Counter[str]:
        book = FOLDER / "deaths"
        lines = book.read_text().splitlines() if book.exists() else []
        return Counter(line.split()[0] for line in lines)


_fates: dict[int, Fate] = {}
_answers = 0  # that were read and are not settled


def visit(point: str) -> None:
    """A drain passes a named point."""
    role = multiprocessing.current_process().name
    if role in ("updates", "postbacks", "clock"):
        _fates.setdefault(os.getpid(), Fate(role)).visit(f"{role}.{point}")


def is_commit_of_interest() -> bool:
    """Empty commits of an idle delivery are none."""
    return multiprocessing.current_process().name == "updates" or _answers > 0


class CrashingTransport(Transport):
    """Tells when a claimed postback is about to be sent, and when answers are there."""

    def start(self, request: Request, tag: object) -> None:
        visit("after_claim")
        super().start(request, tag)

    def poll(self, seconds: float) -> list[Answer]:
        global _answers  # noqa: PLW0603 one drain to a process
        answers = super().poll(seconds)
        if answers:
            _answers += len(answers)
            visit("after_send")
        return answers


class CrashingDesk(Transport):
    """Tells when a claimed decision is about to be told, and when answers are there."""

    def start(self, request: Request, tag: object) -> None:
        visit("after_claim")
        super().start(request, tag)

    def poll(self, seconds: float) -> list[Answer]:
        if answers := super().poll(seconds):
            visit("after_send")
        return answers


def visit_before_commit(*_: object) -> None:
    if is_commit_of_interest():
        visit("before_commit")


def visit_after_commit(*_: object) -> None:
    global _answers  # noqa: PLW0603 one drain to a process
    if is_commit_of_interest():
        visit("after_commit")
        _answers = 0


event.listen(Session, "before_commit", visit_before_commit)
event.listen(Session, "after_commit", visit_after_commit)


class CrashingCommits(CommitsAside):
    """Tells of its own commits, which are no session's."""

    def __init__(self, engine: Engine, on_end: Callable[[], None]) -> None:
        def end() -> None:
            visit_after_commit()
            on_end()

        super().__init__(engine, end)

    def begin(self, work: Work) -> None:
        def visited(connection: Connection) -> Any:
            result = work(connection)
            visit_before_commit()
            return result

        super().begin(visited)


if __name__ == "__main__":
    jobs.Transport = CrashingTransport  # type: ignore[misc]
    jobs.CommitsAside = CrashingCommits  # type: ignore[misc]
    sender.Transport = CrashingDesk  # type: ignore[misc]
    supervisor.LONGEST_PAUSE = supervisor.FIRST_PAUSE  # type: ignore[misc] # dying is the plan
    rq_worker.TICK_SECONDS = 0.1  # type: ignore[misc] # and many deaths are to fit into a test
    sys.exit(supervisor.main())
