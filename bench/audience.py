"""The people of a run: what each sends, and which postbacks are owed for it."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from app.sandbox.telegram import people

FIRST_PERSON = 7_000_000_000  # above 32 bits, as the ids of new users are
FIRST_UPDATE = 100_000_000


@dataclass(frozen=True, slots=True)
class Door:
    """One bot's webhook, and the campaign behind it."""

    bot: int
    path: str
    secret: str
    code: str
    chat: int


@dataclass(frozen=True, slots=True)
class Subscriber:
    """The bytes of two requests: the start and the join."""

    click: str
    start: bytes
    join: bytes


def doors_to_json(doors: Sequence[Door]) -> str:
    """The doors as one line, to hand to another process."""
    return json.dumps([asdict(door) for door in doors])


def doors_from_json(text: str) -> list[Door]:
    """Undo `doors_to_json`."""
    return [Door(**fields) for fields in json.loads(text)]


class Crowd:
    """Makes new subscribers; no two calls return the same person."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = doors
        self._made = 0

    def take(self, count: int) -> list[Subscriber]:
        """`count` new subscribers, spread evenly over the bots."""
        fresh = range(self._made, self._made + count)
        self._made += count
        return [self._subscriber(number) for number in fresh]

    def _subscriber(self, number: int) -> Subscriber:
        door = self._doors[number % len(self._doors)]
        click = f"clk{number:09d}"
        now = int(time.time())
        person = people.Person(FIRST_PERSON + number, username=f"person_{number}")
        chat = people.Chat(door.chat, "A channel worth joining")
        uid = FIRST_UPDATE + 2 * number
        start = people.start(person, f"{door.code}-{click}", now)
        join = people.member(person, chat, "left", "member", now)
        return Subscriber(click, posted(door, uid, start), posted(door, uid + 1, join))


def owed(crowd: Sequence[Subscriber]) -> Iterator[tuple[str, str]]:
    """The postbacks owed for these people, as (click, status)."""
    for one in crowd:
        yield one.click, "wait"
        yield one.click, "approve"


def posted(door: Door, update_id: int, update: dict[str, Any]) -> bytes:
    """The bytes of a request that brings an update to a bot's webhook."""
    body = json.dumps({"update_id": update_id, **update}, separators=(",", ":")).encode()
    head = (
        f"POST /telegram/{door.path} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Content-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: {door.secret}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body
