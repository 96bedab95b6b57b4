"""One delivery process over waiting postbacks: how fast, how dear, and how fair.

Run by `bench.growth` as a process with a database of its own. It takes groups of
destinations as JSON, fills the tables, delivers to the sink in this very process,
and prints what was seen as one line of JSON.
"""

import argparse
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import psutil  # type: ignore[import-untyped]
from flask import current_app
from sqlalchemy import event, text

from app import create_app
from app.domain import events
from app.extensions import db
from app.models import Account, Destination
from app.outbound.transport import Transport
from app.services.delivery.commits import CommitsAside
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from bench.measure import Meter, percentile
from bench.sink import Hit, Sink
from plugins.contract import Event, EventKind

_FILL = text("""
    INSERT INTO postback (account_id, campaign_id, lead_id, destination_id, sequence, kind,
                          event, state, reason, occurrence, tries, steps, due, created)
    SELECT :account, 1, :first * 1000000 + n, :first + n % :destinations, 1, 'wait',
           replace(:event, 'CLICK', :name || '-' || n % :destinations || '-' || n),
           0, '', 0, 0, 0, :due + n * :every, :due
    FROM generate_series(0, :rows - 1) n
""")
LEASE_SECONDS: Final = 45
LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Group:
    """Destinations of one account, and the postbacks that wait for them.

    `rows` counts those of all its destinations. They are due at once, or one every
    so many seconds. `answer` is what the tracker does: `pb` answers, `hang` takes the
    request and is silent, `dead` does not take the connection. `host` is the number
    of the first address, of which there are `hosts`.
    """

    name: str
    destinations: int
    rows: int
    every: float = 0.0
    answer: str = "pb"
    host: int = 1
    hosts: int = 1
    awaited: bool = True


def main() -> None:
    """Fill, deliver, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", required=True, help="JSON")
    parser.add_argument("--sink", type=int, required=True, help="port")
    parser.add_argument("--postgres", type=int, default=0, help="process id")
    parser.add_argument("--seconds", type=float, default=60.0, help="then it ends unfinished")
    asked = parser.parse_args()
    groups = [Group(**fields) for fields in json.loads(asked.groups)]
    with create_app().app_context(), _closed_door() as dead_port:
        db.metadata.create_all(db.engine)
        began = _fill(groups, asked.sink, dead_port)
        run = _Run(groups, Sink(asked.sink, 0), asked.postgres)
        print(json.dumps(run.measure(asked.seconds, began)))


@contextlib.contextmanager
def _closed_door() -> Iterator[int]:
    """A port of the loopback that takes no connection and refuses none."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # its queue is full
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def _fill(groups: list[Group], port: int, dead_port: int) -> float:
    """Make the rows; returns when the first of those that come one by one is due."""
    now = time.time()
    for number, group in enumerate(groups):
        account = Account(login=f"a{number}", name="A", key_hash=f"{number}", created=int(now))
        db.session.add(account)
        db.session.flush()
        ways = [
            _destination(account.id, int(now), _url(group, index, port, dead_port))
            for index in range(group.destinations)
        ]
        db.session.add_all(ways)
        db.session.flush()
        terms = {
            "account": account.id, "first": min(way.id for way in ways), "rows": group.rows,
            "destinations": group.destinations, "event": _event(), "name": group.name,
            "due": now, "every": group.every,
        }  # fmt: skip
        db.session.execute(_FILL, terms)
    db.session.commit()
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    began = time.time() + 0.2
    db.session.execute(text("UPDATE postback SET due = due + :late WHERE due > :now"),
                       {"late": began - now, "now": now})  # fmt: skip
    db.session.commit()
    return began


def _url(group: Group, index: int, port: int, dead_port: int) -> str:
    host = f"127.0.0.{group.host + index % group.hosts}"
    if group.answer == "dead":
        port = dead_port
    return f"http://{host}:{port}/{group.answer}?click={{click}}&status={{status}}"


def _destination(account: int, now: int, url: str) -> Destination:
    settings = json.dumps({"urls": {kind.value: url for kind in EventKind}, "method": "GET"})
    return Destination(
        account_id=account, tracker="url_template", settings=settings, events=31, created=now
    )


def _event() -> str:
    wait = EventKind.WAIT
    return events.serialize(
        Event("1-1-1", wait, 1_700_000_000, 1, 1, "b00001", -100, 7_000_000_000, click="CLICK")
    )


class _Run:
    """One drain under measurement."""

    def __init__(self, groups: list[Group], sink: Sink, postgres: int) -> None:
        self._groups = groups
        self._sink = sink
        own = {"python": [psutil.Process().pid]}
        self._meter = Meter({"postgresql": [postgres]} if postgres else {}, own)
        self._awaited = [group for group in groups if group.awaited]
        self._statements = 0
        self._enough = threading.Event()

    def measure(self, seconds: float, began: float) -> dict[str, Any]:
        """Deliver until the rows that are waited for have come."""
        event.listen(db.engine, "before_cursor_execute", self._count)
        transport = Transport(allow=current_app.config["SETTINGS"].outbound_allow)
        delivery = Delivery(
            transport,
            DestinationResolver(current_app.extensions["trackers"]),
            lease_seconds=LEASE_SECONDS,
            commits=CommitsAside(db.engine, transport.interrupt),
        )
        self._sink.take()
        watch = threading.Thread(target=self._watch, args=(seconds,), daemon=True)
        wal, cpu = _wal(), self._meter.cpu()
        started, offset = time.monotonic(), time.time() - time.monotonic()
        watch.start()
        while not self._enough.is_set():
            delivery.run(seconds=max(0.1, seconds), stop=self._enough.is_set)
        spent = {part: 1000 * (value - cpu[part]) for part, value in self._meter.cpu().items()}
        hits = self._sink.take()
        done = len(hits) or 1
        result: dict[str, Any] = {
            "groups": [self._group(group, hits, started, began - offset) for group in self._groups],
            "statements": self._statements / done,
            "wal": (_wal() - wal) / done,
        }
        return result | {f"{part} ms": ms / done for part, ms in spent.items()}

    def _count(self, *_: object) -> None:
        self._statements += 1

    def _watch(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        for group in self._awaited:
            while time.monotonic() < end and self._sink.count(group.name) < group.rows:
                time.sleep(LOOK_SECONDS)
        self._enough.set()

    def _group(self, group: Group, hits: list[Hit], started: float, began: float) -> dict[str, Any]:
        firsts: dict[int, float] = {}
        waits, came = [], []
        for hit in hits:
            name, index, row = hit.click.rsplit("-", 2)
            if name != group.name:
                continue
            came.append(hit.at)
            firsts.setdefault(int(index), hit.at - started)
            waits.append(1000 * (hit.at - max(started, began + int(row) * group.every)))
        waits.sort()
        first = sorted(firsts.values())
        return asdict(group) | {
            "came": len(came),
            "rate": len(came) / (max(came) - started) if came else 0.0,
            "reached": len(firsts),
            "first p50": percentile(first, 0.5),
            "first max": percentile(first, 1.0),
            "wait p50": percentile(waits, 0.5),
            "wait p95": percentile(waits, 0.95),
            "wait p99": percentile(waits, 0.99),
            "wait max": percentile(waits, 1.0),
        }


def _wal() -> int:
    """Bytes that PostgreSQL has logged so far; 0 on SQLite."""
    if db.engine.dialect.name == "sqlite":
        return 0
    with db.engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")) or 0)


if __name__ == "__main__":
    main()
