"""`python -m bench.api`: what reading the API costs by the size of an account.

The same calls on two databases, one with 10,000 leads and one with `--scale`,
each lead with three journal rows and three postbacks. The figure is the median
time of an answer within the process; the ratio is what must stay near 1. The
plans are of the dearest statement of each call on the large database.
"""

import argparse
import dataclasses
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import event

from app import create_app
from app.config import Settings
from app.extensions import db
from app.services.accounts import rate_limits
from bench import api_seed, screens, system
from bench.measure import WIDTH, heading

SMALL = 10_000
LARGE = 1_000_000
MOST_RATIO = 2.0
ROUNDS = 15
PLAN_LINES = 24

Call = tuple[str, str, dict[str, Any]]
Statement = tuple[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=LARGE, help="leads of the large database")
    parser.add_argument("--plans", action="store_true", help="print the plan of every call")
    parser.add_argument("--screens", action="store_true", help="measure the screens only")
    parser.add_argument("--keep", type=Path, help="a folder for the databases, to measure again")
    asked = parser.parse_args()
    with (
        _folder(asked.keep) as folder,
        system.postgres(folder, keep=asked.keep is not None) as server,
        system.redis(folder) as (redis_url, _),
    ):
        counts = (asked.scale,) if asked.screens else (SMALL, asked.scale)
        sizes = [_Size(server, redis_url, rows, folder) for rows in counts]
        found = [] if asked.screens else _measure(*sizes)
        large = sizes[-1]
        pages = screens.measure(large.client, large.seeded.key, large.ask)
    grown = _report(*found, asked.scale, all_plans=asked.plans) if found else 0
    return 1 if screens.report(pages) else grown


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder `keep`, or one that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gp-bench-") as name:
        folder = keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # under root, PostgreSQL is another user
        yield folder


class _Size:
    """An application on a database of its own, with an account of so many leads.

    A database that an earlier run has kept is taken as it is.
    """

    def __init__(self, server: system.Postgres, redis_url: str, rows: int, folder: Path) -> None:
        print(f"{rows:,} leads, {3 * rows:,} journal rows, {3 * rows:,} postbacks ...", flush=True)
        name, kept = f"leads{rows}", folder / f"leads{rows}.json"
        database = server.url(name) if kept.exists() else server.fresh(name)
        self.app = create_app(Settings.from_environment(system.environment(database, redis_url)))
        with self.app.app_context():
            if kept.exists():
                self.seeded = api_seed.Seeded(**json.loads(kept.read_text()))
            else:
                db.metadata.create_all(db.engine)
                self.seeded = api_seed.fill(rows)
                kept.write_text(json.dumps(dataclasses.asdict(self.seeded)))
        self.client = self.app.test_client()
        self.calls = {name: (path, query) for name, path, query in _calls(self.seeded)}

    def ask(self, name: str) -> None:
        """Make one of the calls, as a client would."""
        path, query = self.calls[name]
        _get(self.client, path, query, {"Authorization": f"Bearer {self.seeded.key}"})

    def plans(self, name: str) -> list[list[str]]:
        """The statements of this call as they were run, the dearest first."""
        heard: list[Statement] = []
        with self.app.app_context():
            with _overheard(heard):
                self.ask(name)
            plans = [_plan(*one) for one in heard if one[0].startswith("SELECT")]
        return sorted(plans, key=_spent, reverse=True)


def _measure(*sizes: _Size) -> list[dict[str, Any]]:
    """Of each size, by the name of each call: its milliseconds and its plans.

    The sizes take turns, so that what else the machine does falls on all alike.
    """
    rate_limits.AUTHENTICATED.burst = sys.maxsize
    found: list[dict[str, Any]] = [{} for _ in sizes]
    for name in sizes[0].calls:
        spent: list[list[float]] = [[] for _ in sizes]
        for _ in range(1 + ROUNDS):
            for times, size in zip(spent, sizes, strict=True):
                began = time.perf_counter()
                size.ask(name)
                times.append(1000 * (time.perf_counter() - began))
        for told, times, size in zip(found, spent, sizes, strict=True):
            # The first answer has warmed the caches.
            told[name] = {"ms": statistics.median(times[1:]), "plans": size.plans(name)}
    return found


def _calls(seeded: api_seed.Seeded) -> Iterator[Call]:
    """What a dashboard and a script ask, with first and deep pages."""
    rows, day = seeded.rows, 86_400
    month = {"from": seeded.now - 30 * day, "to": seeded.now}
    last_hour = {"from": seeded.now - 3600}
    old_day = {"from": seeded.now - 80 * day, "to": seeded.now - 79 * day}
    yield "camp/list", "camp/list", {}
    yield "leads/list first", "leads/list", {}
    yield "leads: offset 9000", "leads/list", {"offset": 9000}
    yield "leads: offset half", "leads/list", {"offset": rows // 2}
    yield "leads: offset, last", "leads/list", {"offset": rows - 50}
    yield "leads: before half", "leads/list", {"before": rows // 2}
    yield "leads: common, offset half", "leads/list", {"status": 2, "offset": rows // 4}
    yield "leads: campaign", "leads/list", {"campaign": seeded.campaign}
    yield "leads: campaign, status", "leads/list", {"campaign": seeded.campaign, "status": 4}
    yield "leads: status common", "leads/list", {"status": 2}
    yield "leads: status rare", "leads/list", {"status": 4}
    yield "leads: last hour", "leads/list", last_hour
    yield "leads: month", "leads/list", month
    yield "leads: an old day", "leads/list", old_day
    yield "leads: status, never", "leads/list", {"status": 1}
    yield from _calls_of_journal(seeded)
    yield "postbacks/list first", "postbacks/list", {}
    yield "postbacks: offset 9000", "postbacks/list", {"offset": 9000}
    yield "postbacks: offset half", "postbacks/list", {"offset": 3 * rows // 2}
    yield "postbacks: before half", "postbacks/list", {"before": 3 * rows // 2}
    yield "postbacks: campaign", "postbacks/list", {"campaign": seeded.campaign}
    yield "postbacks: lead", "postbacks/list", {"lead": rows // 2}
    yield "postbacks: dest", "postbacks/list", {"dest": seeded.destination}
    yield "postbacks: event", "postbacks/list", {"event": "approve"}
    yield "postbacks: state rare", "postbacks/list", {"state": "failed"}
    failed = {"dest": seeded.destination, "state": "failed"}
    yield "postbacks: dest, state rare", "postbacks/list", failed
    yield "postbacks: ... last of them", "postbacks/list", failed | {"offset": rows // 500 - 20}
    yield "postbacks: state, never", "postbacks/list", {"state": "rejected"}
    yield "postbacks: last hour", "postbacks/list", last_hour
    yield "postbacks: an old day", "postbacks/list", old_day
    yield "stats/summary", "stats/summary", month
    yield "stats/daily", "stats/daily", month
    yield "stats/daily tz", "stats/daily", month | {"tz": 330}
    yield "stats/retention", "stats/retention", month
    yield from _calls_of_ads(seeded, month)


def _calls_of_journal(seeded: api_seed.Seeded) -> Iterator[Call]:
    """Of one chat, and of all chats of the account."""
    rows, day = seeded.rows, 86_400
    last_hour = {"from": seeded.now - 3600}
    old_day = {"from": seeded.now - 80 * day, "to": seeded.now - 79 * day}
    chat = {"bot": seeded.bot, "chat": seeded.chat}
    yield "journal/list first", "journal/list", chat
    yield "journal: offset 900", "journal/list", chat | {"offset": 900}
    yield "journal: offset half", "journal/list", chat | {"offset": 3 * rows // 20}
    yield "journal: before half", "journal/list", chat | {"before": 3 * rows // 2}
    yield "journal: action rare", "journal/list", chat | {"action": 3}
    yield "journal: action, never", "journal/list", chat | {"action": 2}
    yield "journal: last hour", "journal/list", chat | last_hour
    yield "journal: an old day", "journal/list", chat | old_day
    yield "journal of all: first", "journal/list", {}
    yield "journal of all: offset half", "journal/list", {"offset": 3 * rows // 2}
    yield "journal of all: before half", "journal/list", {"before": 3 * rows // 2}
    yield "journal of all: action rare", "journal/list", {"action": 3}
    yield "journal of all: never", "journal/list", {"action": 2}
    yield "journal of all: last hour", "journal/list", last_hour
    yield "journal of all: an old day", "journal/list", old_day


def _calls_of_ads(seeded: api_seed.Seeded, month: dict[str, Any]) -> Iterator[Call]:
    """What their owner asks of the ads.

    By a parameter the cost follows the clicks that are counted, 10,000 at the most: over all
    days both sizes count so many.
    """
    ever = {"from": seeded.now - api_seed.DAYS * 86_400}
    yield "stats/sources", "stats/sources", month
    yield "stats/sources day", "stats/sources", month | {"by": "day"}
    yield "stats/sources utm", "stats/sources", ever | {"by": "utm_campaign"}
    yield "stats/sources ad", "stats/sources", ever | {"by": "ad_id"}


def _get(client: FlaskClient, path: str, query: dict[str, Any], headers: dict[str, str]) -> None:
    answer = client.get(f"/api/{path}.json", query_string=query, headers=headers).get_json()
    if answer["status"] != "ok":
        raise system.CannotStart(f"{path} {query}: {answer}")


@contextmanager
def _overheard(heard: list[Statement]) -> Iterator[None]:
    def hear(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        heard.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)


def _plan(statement: str, parameters: Any) -> list[str]:
    with db.engine.connect() as connection:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}"
        lines = [line for (line,) in connection.exec_driver_sql(explain, parameters)]
        connection.rollback()
    return [" ".join(statement.split()), *lines]


def _spent(plan: list[str]) -> float:
    return float(plan[-1].removeprefix("Execution Time:").removesuffix("ms"))


def _report(small: dict[str, Any], large: dict[str, Any], rows: int, *, all_plans: bool) -> int:
    """Print the table, then plans; 1 if anything grew beyond MOST_RATIO."""
    heading(f"Median milliseconds of an answer, {ROUNDS} answers each")
    print(f"{'':28}{f'{SMALL:,}':>12}{f'{rows:,}':>12}{'database':>12}{'ratio':>8}")
    grown = []
    for name, one in small.items():
        other = large[name]
        ratio = other["ms"] / one["ms"]
        grown += [name] if ratio > MOST_RATIO else []
        mark = " *" if ratio > MOST_RATIO else ""
        database = sum(map(_spent, other["plans"]))
        print(f"{name:28}{one['ms']:12.1f}{other['ms']:12.1f}{database:12.1f}{ratio:8.2f}{mark}")
    print("database: of the large one, what its statements took by themselves.")
    for name in large if all_plans else grown:
        for plan in large[name]["plans"][: None if all_plans else 1]:
            heading(name)
            for line in itertools.islice(plan, PLAN_LINES):
                print(f"  {line[: WIDTH * 3]}")
    print(f"\n{len(grown)} of {len(small)} calls grew beyond {MOST_RATIO:g} times (*).")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
