"""Many people, what each of them does, and what must become of it.

The model here is the sequential one: a person's actions in their order, without
queues, batches or crashes. The system must end up where the model does.
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from app.sandbox.telegram import people
from app.sandbox.telegram.bot.update_kinds import queue_key
from app.sandbox.telegram.people import Person
from tests.journeys.system import Door
from tests.support.waiting import PATIENCE

HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"

#: What a person does, in order; each action is reported as one status.
SCRIPTS: Final = (
    (("start", "wait"), ("request", "hold"), ("admitted", "approve"), ("leave", "cancel")),
    (("start", "wait"), ("request", "hold"), ("admitted", "approve"), ("kick", "trash")),
    (("start", "wait"), ("join", "approve"), ("leave", "cancel"), ("rejoin", "approve")),
)
_STATES: Final = {"wait": 0, "hold": 1, "approve": 2, "cancel": 3, "trash": 4}
_numbers = count(7_000_000_001)  # above 32 bits, as the ids of new users are
_updates = count(500_000_001)


@dataclass(frozen=True, slots=True)
class Posted:
    """One update on its way to one door."""

    door: Door
    update_id: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the crowd."""

    person: Person
    door: Door
    script: tuple[tuple[str, str], ...]
    began: int  # Telegram's date of the first action; each later one follows a second after

    @property
    def click(self) -> str:
        """The click id of the ad that brought them."""
        return f"click-{self.person.id}"

    @property
    def reports(self) -> list[str]:
        """The statuses that the tracker must hear, in this order."""
        return [status for _, status in self.script]

    def lead(self) -> dict[str, Any]:
        """What the lead's row must say in the end."""
        joined = [date for date, (_, status) in enumerate(self.script) if status == "approve"]
        return {
            "click": self.click,
            "state": _STATES[self.reports[-1]],
            "start_time": self.began,
            "join_time": self.began + joined[-1],
            "reports": len(self.script),
        }

    def lanes(self) -> Iterator[list[Posted]]:
        """Their updates by Telegram's queue key: in order within one, side by side else."""
        lanes: dict[str, list[Posted]] = {}
        for number, (action, _) in enumerate(self.script):
            update = {"update_id": next(_updates), **self._update(action, self.began + number)}
            posted = Posted(self.door, update["update_id"], json.dumps(update).encode())
            lanes.setdefault(queue_key(update), []).append(posted)
        yield from lanes.values()

    def _update(self, action: str, date: int) -> people.Update:
        who, chat = self.person, self.door.chat
        if action == "start":
            return people.start(who, f"{self.door.code}-{self.click}", date)
        if action == "request":
            return people.join_request(who, chat, date)
        if action == "leave":
            return people.leave(who, chat, date)
        if action == "kick":
            return people.kick(who, chat, date)
        return people.join(who, chat, date, people.ADMIN if action == "admitted" else None)


def crowd(doors: Sequence[Door], size: int, *, scripts: Sequence[Any] = SCRIPTS) -> list[Member]:
    """`size` people nobody has seen before, spread over the doors."""
    began = int(time.time()) - 3600
    return [
        Member(
            Person(next(_numbers), username=f"person{number}"),
            doors[number % len(doors)],
            scripts[number % len(scripts)],
            began,
        )
        for number in range(size)
    ]


class Sender:
    """Sends as Telegram does: each lane in order, again and again until it is accepted."""

    def __init__(
        self, port: int | Sequence[int], members: Sequence[Member], *, threads: int = 8
    ) -> None:
        #: Where it sends, in turns; a list may change meanwhile, as a router's does.
        self._ports = (port,) if isinstance(port, int) else port
        self.accepted: list[Posted] = []
        self.refusals: Counter[int] = Counter()  # answers but 200 by status; 0 is none at all
        self._permits = threading.Semaphore(0)
        lanes = [lane for member in members for lane in member.lanes()]
        self.total = sum(map(len, lanes))
        self._threads = [
            threading.Thread(target=self._send_all, args=(lanes[number::threads],), daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def release(self, number: int) -> int:
        """Let so many more updates go; returns the number."""
        self._permits.release(number)
        return number

    def finish(self, seconds: float = 2 * PATIENCE) -> None:
        """Let all go, and wait until all are accepted."""
        self.release(self.total)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        assert len(self.accepted) == self.total, self.refusals

    def _send_all(self, lanes: list[list[Posted]]) -> None:
        wires: dict[int, http.client.HTTPConnection] = {}
        while lanes:
            for lane in lanes:
                self._permits.acquire()
                self._insist(wires, lane.pop(0))
            lanes = [lane for lane in lanes if lane]
        for wire in wires.values():
            wire.close()

    def _wire(self, wires: dict[int, http.client.HTTPConnection]) -> http.client.HTTPConnection:
        ports = tuple(self._ports)
        port = ports[len(self.accepted) % len(ports)]
        if port not in wires:
            wires[port] = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        return wires[port]

    def _insist(self, wires: dict[int, http.client.HTTPConnection], posted: Posted) -> None:
        while (status := post(self._wire(wires), posted.door, posted.body)) != 200:
            self.refusals[status] += 1
            time.sleep(0.1)
        self.accepted.append(posted)


def post(wire: http.client.HTTPConnection, door: Door, body: bytes) -> int:
    """Post one update; the status, or 0 if there was no answer."""
    headers = {HEADER: door.secret, "Content-Type": "application/json"}
    with suppress(OSError, http.client.HTTPException):
        wire.request("POST", f"/telegram/{door.path}", body, headers)
        answer = wire.getresponse()
        assert answer.read() == b"", "an answer to Telegram has no body"
        return answer.status
    wire.close()  # it opens itself again
    return 0
