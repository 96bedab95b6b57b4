"""What one update costs that comes alone: from the store to the settled postback.

Run by `bench` as a process with a database of its own. Each update is stored, processed, sent
to the sink and settled before the next comes, once with the postback claimed by a delivery and
once sent at once by the process that decided. Prints one line of JSON: CPU milliseconds of
Python and of PostgreSQL, statements and bytes of WAL for each update.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator

from flask import current_app
from sqlalchemy import event, select, text

from app import create_app
from app.extensions import db
from app.models import Bot
from app.outbound.transport import Transport
from app.services.delivery.loop import Delivery
from app.services.delivery.targets import DestinationResolver
from app.services.leads.process import process_updates
from app.services.leads.send_at_once import process_and_send
from app.services.updates import inbox
from bench.audience import Crowd, doors_from_json
from bench.measure import Meter

WARM_UP = 20


def main() -> None:
    """Measure both ways in turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--doors", required=True, help="JSON, as bench.seed prints it")
    parser.add_argument("--updates", type=int, required=True, help="of each way")
    parser.add_argument("--postgres", type=int, required=True, help="process id")
    asked = parser.parse_args()
    with create_app().app_context():
        alone = Alone(asked.doors, asked.postgres)
        result = {}
        for way, run in (("claimed", alone.claimed), ("at once", alone.at_once)) * 2:
            run(WARM_UP)
            result[way] = alone.measure(run, asked.updates)  # the second time in a warm database
    print(json.dumps(result))


class Alone:
    """Updates that come one by one, and what is done for them."""

    def __init__(self, doors: str, postgres: int) -> None:
        self._crowd = Crowd(doors_from_json(doors))
        self._bots = {row.webhook_path: row.id for row in db.session.scalars(select(Bot))}
        db.session.commit()
        self._meter = Meter({"postgresql": [postgres]}, {})
        settings = current_app.config["SETTINGS"]
        self._delivery = Delivery(
            Transport(allow=settings.outbound_allow),
            DestinationResolver(current_app.extensions["trackers"]),
            lease_seconds=settings.lease_seconds,
        )
        self._statements = 0
        event.listen(db.engine, "before_cursor_execute", self._count)

    def claimed(self, count: int) -> None:
        """One process decides, another claims and sends."""
        for _ in self._come(count):
            process_updates(seconds=10)
            self._delivery.run(seconds=10)

    def at_once(self, count: int) -> None:
        """The process that decides sends; the outcome is settled with the next update."""
        updates = self._come(count)

        def woken(seconds: float) -> bool:
            return seconds > 0 and next(updates, None) is not None

        for _ in updates:
            process_and_send(self._delivery, seconds=600, woken=woken)

    def measure(self, run: Callable[[int], None], count: int) -> dict[str, float]:
        """What each update of a run costs."""
        wal, cpu, own, self._statements = _wal(), self._meter.cpu(), time.process_time(), 0
        began = time.monotonic()
        run(count)
        seconds = time.monotonic() - began
        return {
            "python ms": 1000 * (time.process_time() - own) / count,
            "postgresql ms": 1000 * (self._meter.cpu()["postgresql"] - cpu["postgresql"]) / count,
            "ms": 1000 * seconds / count,
            "statements": self._statements / count,
            "wal": (_wal() - wal) / count,
        }

    def _come(self, count: int) -> Iterator[int]:
        """Store updates, one whenever the next is asked for."""
        for person in self._crowd.take(count // 2):
            for request in (person.start, person.join):
                head, _, body = request.partition(b"\r\n\r\n")
                path = head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
                inbox.store_updates(self._bots[path], [body])
                yield 1

    def _count(self, *_: object) -> None:
        self._statements += 1


def _wal() -> int:
    with db.engine.connect() as connection:
        return int(connection.scalar(text("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")) or 0)


if __name__ == "__main__":
    main()
