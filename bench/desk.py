"""How soon somebody who asks to be let in is greeted, beside 10,000 decisions of the same bot.

The system's own lines run beside a double of Telegram that enforces its five minutes. Ten
thousand people have asked before; their approvals are spread over an hour, and then all due
at once. The time is from the request at Telegram to the greeting at Telegram.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.models import DeskMode, RequestState
from app.outbound.telegram import BotApi
from app.sandbox import serving
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.sandbox.telegram.server import BotApiDouble
from bench import system
from bench.measure import heading, percentile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.audience import Door
    from bench.sink import Sink

SCHEDULED: Final = 10_000
FEW_SCHEDULED: Final = 1_000
SPREAD_SECONDS: Final = 3600
REQUESTS: Final = 40
EVERY_SECONDS: Final = 0.5
PATIENCE: Final = 30.0
_TOKEN: Final = "1000000:bench-token"
_KINDS: Final = ["message", "chat_member", "my_chat_member", "chat_join_request"]
_FIRST: Final = 6_000_000_000


def measure(
    folder: Path, postgres: system.Postgres, sink: Sink, *, quick: bool
) -> dict[str, float]:
    """Print both, and return what the marks ask for."""
    count = FEW_SCHEDULED if quick else SCHEDULED
    heading(f"Join requests: the greeting of a new one beside {count:,} scheduled decisions")
    double = BotApiDouble()
    double.add_bot(_TOKEN, "bench_0_bot")
    values: dict[str, float] = {}
    with serving.running(double) as telegram, _gatepost(folder, postgres, sink, telegram) as served:
        running, database = served
        (door,) = running.doors
        _connect(telegram, running.port, door)
        _fill(double, database, door, count)
        _report("spread over an hour", _greeted(double, door, 0), values, "desk")
        with _connected(database) as connection:
            connection.execute("UPDATE join_request SET due = 0 WHERE state = 1")
        _report("all due at once", _greeted(double, door, REQUESTS), values, "desk at once")
    return values


@contextmanager
def _gatepost(
    folder: Path, postgres: system.Postgres, sink: Sink, telegram: str
) -> Iterator[tuple[system.Running, str]]:
    place = folder / "desk"
    place.mkdir()
    database = postgres.fresh("desk_bench")
    with (
        system.redis(place) as (url, _),
        system.gatepost(place, database, url, sink, 1, telegram=telegram) as running,
    ):
        yield running, database


def _connect(telegram: str, port: int, door: Door) -> None:
    BotApi(telegram, _TOKEN).call(
        "setWebhook",
        url=f"http://127.0.0.1:{port}/telegram/{door.path}",
        secret_token=door.secret,
        allowed_updates=_KINDS,
    )


def _fill(double: BotApiDouble, database: str, door: Door, count: int) -> None:
    """Let so many people ask, whom a rule lets in within the hour; nobody is greeted yet."""
    with _connected(database) as connection:
        connection.execute("UPDATE campaign SET desk = %s", [int(DeskMode.RULES)])
        connection.execute(
            "INSERT INTO request_rule (campaign_id, position, conditions, action, otherwise,"
            " delay_from, delay_to, note, hits, enabled)"
            " SELECT id, 1, '{}', 1, 0, 60, %s, '', 0, true FROM campaign",
            [SPREAD_SECONDS],
        )
        for number in range(count):
            double.push(_TOKEN, people.join_request(Person(_FIRST + number), Chat(door.chat)))
        asked = "SELECT count(*) FROM join_request"
        end = time.monotonic() + 300
        while (stored := connection.execute(asked).fetchone()) and stored[0] < count:
            if time.monotonic() > end:
                raise system.CannotStart(f"{stored[0]:,} of {count:,} requests were stored")
            time.sleep(0.2)
        connection.execute("UPDATE campaign SET greet = 'Hello'")
        scheduled = f"{asked} WHERE state = {RequestState.SCHEDULED:d}"
        left = connection.execute(scheduled).fetchone()
    print(f"{left[0] if left else 0:,} decisions are scheduled", flush=True)


def _greeted(double: BotApiDouble, door: Door, first: int) -> list[float]:
    """Let people ask one after the other; seconds until each was greeted, in order of size."""
    asked, greeted = {}, {}
    told = double.follow()
    newcomers = [_FIRST - 1 - first - number for number in range(REQUESTS)]
    for number in newcomers:
        asked[number] = time.time()
        double.push(_TOKEN, people.join_request(Person(number), Chat(door.chat)))
        time.sleep(EVERY_SECONDS)
    end = time.monotonic() + PATIENCE
    while len(greeted) < REQUESTS and time.monotonic() < end:
        while not told.empty():
            happened = told.get()
            chat = getattr(happened, "chat_id", None)
            if chat in asked:
                greeted.setdefault(chat, happened.time)
        time.sleep(0.05)
    missing = [PATIENCE] * (REQUESTS - len(greeted))
    return sorted([*(at - asked[number] for number, at in greeted.items()), *missing])


def _report(title: str, seconds: list[float], values: dict[str, float], key: str) -> None:
    middle, longest = percentile(seconds, 0.5), seconds[-1]
    values[f"{key} greeting"] = longest
    print(
        f"{title:34}greeted after {middle:.2f} s in the middle, {longest:.2f} s at most", flush=True
    )


@contextmanager
def _connected(database: str) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        yield connection
