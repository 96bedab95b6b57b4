"""What a claim costs by the number of postbacks waiting, with the query plans.

Run by `python -m bench --only claim` as a process with a database of its own.
The plans are of the very statements that `outbox.claim` runs.
"""

import argparse
import dataclasses
import itertools
import json
import secrets
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text

from app import create_app
from app.extensions import db
from app.models import Account, Destination
from app.services import postbacks
from plugins.contract import Event, EventKind

DESTINATIONS = 50
CLAIMS = 20
AT_ONCE = 8  # rows of one destination in one claim
MOST = 128  # rows of one claim
LEASE_SECONDS = 45

# Every second lead has a second report, which waits for its turn.
_FILL = text("""
    INSERT INTO postback (account_id, campaign_id, lead_id, destination_id, sequence, kind,
                          event, state, reason, occurrence, tries, steps, due, created)
    SELECT :account, 1, n - n % 3 / 2, :first + (n - n % 3 / 2) % :destinations, 1 + n % 3 / 2,
           'wait', :event, 0, '', 0, 0, 0, :now - 3600.0 * (:rows - n) / :rows, :now
    FROM generate_series(1, :rows) n
""")
# What was claimed goes back before the next claim: as many wait for each.
_HAND_BACK = text("UPDATE postback SET state = 0, lease = NULL, lease_until = NULL WHERE state = 1")

Statement = tuple[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    asked = parser.parse_args()
    with create_app().app_context():
        db.metadata.create_all(db.engine)
        _fill(asked.rows)
        spent, taken, statements = _claims()
        print(
            f"{CLAIMS} claims of {statistics.median(taken):.0f} rows:"
            f" {statistics.median(spent):.1f} ms each ({min(spent):.1f}..{max(spent):.1f})"
        )
        for statement in statements:
            _explain(*statement)


def _fill(rows: int) -> None:
    now = time.time()
    account = Account(login="claim", name="Claim", key_hash="", created=int(now))
    db.session.add(account)
    db.session.flush()
    ways = [_destination(account.id, int(now)) for _ in range(DESTINATIONS)]
    db.session.add_all(ways)
    db.session.flush()
    terms = {
        "account": account.id,
        "first": min(way.id for way in ways),
        "rows": rows,
        "destinations": DESTINATIONS,
        "event": _event(),
        "now": now,
    }
    db.session.execute(_FILL, terms)
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _destination(account: int, now: int) -> Destination:
    urls = {kind.value: "http://127.0.0.1:1/pb?click={click}" for kind in EventKind}
    settings = json.dumps({"urls": urls, "method": "GET"})
    return Destination(
        account_id=account, tracker="url_template", settings=settings, events=31, created=now
    )


def _event() -> str:
    event_ = Event("1-1-1", EventKind.WAIT, 1_700_000_000, 1, 1, "b00001", -100, 7_000_000_000)
    return json.dumps(dataclasses.asdict(event_))


def _claims() -> tuple[list[float], list[int], list[Statement]]:
    """Milliseconds and rows of each claim, and the statements of the last."""
    spent, taken, after = [], [], 0
    heard: list[Statement] = []
    for _ in range(CLAIMS):
        heard.clear()
        began = time.perf_counter()
        with db.engine.begin() as connection, _overheard(connection, heard):
            catch = _claim(connection, after)
        spent.append(1000 * (time.perf_counter() - began))
        with db.engine.begin() as connection:
            connection.execute(_HAND_BACK)
        taken.append(len(catch.postbacks))
        after = catch.after
    return spent, taken, heard


def _claim(connection: Connection, after: int) -> Any:
    now = time.time()
    return postbacks.claim(
        connection,
        now=now,
        lease=secrets.token_hex(16),
        until=now + LEASE_SECONDS,
        after=after,
        quota_for=lambda _, most: min(AT_ONCE, most),
        most=MOST,
    )


@contextmanager
def _overheard(connection: Connection, heard: list[Statement]) -> Iterator[None]:
    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        heard.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", hear)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", hear)


def _explain(statement: str, parameters: Any) -> None:
    """Print the plan of `statement`, run and then undone."""
    print(f"\n{' '.join(statement.split())[:76]}...")
    with db.engine.connect() as connection:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}"
        plan = connection.exec_driver_sql(explain, parameters)
        for (line,) in itertools.islice(plan, 60):
            print(f"  {line}")
        connection.rollback()


if __name__ == "__main__":
    main()
