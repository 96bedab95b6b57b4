"""The whole system in other sizes: many bots, two worker dynos, SQLite, idle, and its door alone.

Each is started for itself, measured, and ended; what it is compared with is measured in the
same minute.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from bench import system
from bench.audience import Crowd
from bench.load import Line, Load
from bench.measure import Meter, Progress, Round, heading
from bench.rounds import Pressure, Track
from bench.sink import Sink

MANY_BOTS: Final = 1_000
_IDLE_SECONDS: Final = 60.0  # some things are done once a minute
_CHECKS_SECONDS: Final = 20.0  # after a start each bot is asked about once, one a second
_WARM_UP: Final = 200
_UPDATES: Final = 400  # that come alone, of each way
_FEW_UPDATES: Final = 60
_EMPTY_VIEW: Final = "bench.empty_view:app"


class Variants:
    """Starts the variants over one PostgreSQL and one sink, and keeps what the marks ask for."""

    def __init__(
        self, folder: Path, postgres: system.Postgres, sink: Sink, pressure: Pressure, people: int
    ) -> None:
        self._folder = folder
        self._postgres = postgres
        self._sink = sink
        self._pressure = pressure
        self._people = people
        self._started = 0
        self.values: dict[str, float] = {}

    def run(self, bots: int, *, quick: bool) -> None:
        """Measure all; a quick run only what needs no system of its own."""
        heading("One update that comes alone, and the whole system in other sizes")
        self._alone(_FEW_UPDATES if quick else _UPDATES)
        if quick:
            return
        self._door(bots)
        self._idle(_IDLE_SECONDS, bots)
        base = self._round("PostgreSQL, one worker dyno", bots)
        self._ratio("bots", self._round(f"{MANY_BOTS:,} bots", MANY_BOTS), base)
        self._ratio("dynos", self._round("two worker dynos", bots, dynos=2), base)
        self._ratio("sqlite", self._round("SQLite", bots, sqlite=True), base)

    def _alone(self, updates: int) -> None:
        """One update that comes alone, as `bench.alone` measures it."""
        self._started += 1
        database = self._postgres.fresh(f"alone_bench_{self._started}")
        environ = system.environment(database, "redis://127.0.0.1:1")
        made = system.prepare(environ | {"PUBLIC_URL": "https://bench.example"}, 10, self._sink)
        arguments = ["--doors", made, "--updates", str(updates)]
        arguments += ["--postgres", str(self._postgres.pid)]
        printed = system.run_module("bench.alone", arguments, environ)
        for way, values in json.loads(printed.splitlines()[-1]).items():
            print(
                f"one update, {way:8} CPU ms: Python {values['python ms']:.2f}, PostgreSQL"
                f" {values['postgresql ms']:.2f}; {values['statements']:.1f} statements,"
                f" {values['wal']:,.0f} B WAL"
            )
            self.values |= {f"alone {way} {name}": value for name, value in values.items()}

    def _door(self, bots: int) -> None:
        """Updates acknowledged a second without any worker, beside an empty Flask view."""
        rates = []
        for title, application in (("the door", "wsgi:app"), ("an empty view", _EMPTY_VIEW)):
            with self._gatepost(bots, dynos=0, application=application) as running:
                rates.append(self._acknowledged(running, title))
            print(f"{title:34}{rates[-1]:10,.0f} updates/s acknowledged", flush=True)
        self.values["door"] = rates[0] / rates[1]

    def _acknowledged(self, running: system.Running, title: str) -> float:
        crowd = Crowd(running.doors)
        rate = 0.0
        for people in (_WARM_UP, self._people):
            load = Load(running.port, Line(crowd.take(people), 0), 2 * people)
            progress = Progress(title, 2 * people)
            sent = asyncio.run(load.run(self._pressure.connections, progress))
            progress.done()
            rate = sent.acknowledged / (sent.ended - sent.began)
        return rate

    def _round(self, title: str, bots: int, *, dynos: int = 1, sqlite: bool = False) -> Round:
        with self._gatepost(bots, dynos=dynos, sqlite=sqlite) as running:
            track = Track("system", running, self._sink, Meter(running.parts, {}))
            track.round(f"{title}, warm-up", _WARM_UP, self._pressure, self._postgres)
            one = track.round(title, self._people, self._pressure, self._postgres)
        faults = one.lost + one.doubled + one.refused
        self.values["faults"] = self.values.get("faults", 0) + faults
        print(
            f"{title:34}{one.postbacks_per_second:10,.0f} postbacks/s, {faults} faults", flush=True
        )
        return one

    def _ratio(self, key: str, one: Round, base: Round) -> None:
        self.values[key] = one.postbacks_per_second / base.postbacks_per_second

    def _idle(self, seconds: float, bots: int) -> None:
        """CPU and statements while nothing comes.

        On a server of its own: the other one vacuums what the sections before have left.
        """
        folder = self._folder / "idle"
        folder.mkdir()
        with (
            system.postgres(folder) as postgres,
            self._gatepost(bots, count_on=postgres) as running,
        ):
            meter = Meter(running.parts | {"postgresql": [postgres.pid]}, {})
            time.sleep(_CHECKS_SECONDS)
            before, statements = meter.cpu(), postgres.statements()
            began = time.monotonic()
            time.sleep(seconds)
            passed = time.monotonic() - began
            spent = {part: cpu - before[part] for part, cpu in meter.cpu().items()}
            statements = postgres.statements() - statements
        self.values["idle CPU"] = 100 * sum(spent.values()) / passed
        self.values["idle statements"] = statements / passed
        print(
            f"{'idle':34}{self.values['idle CPU']:10.2f} % of a core,"
            f" {self.values['idle statements']:.1f} statements/s: "
            + ", ".join(f"{part} {100 * cpu / passed:.2f}" for part, cpu in spent.items()),
            flush=True,
        )  # fmt: skip

    @contextlib.contextmanager
    def _gatepost(
        self,
        bots: int,
        *,
        dynos: int = 1,
        sqlite: bool = False,
        application: str = "wsgi:app",
        count_on: system.Postgres | None = None,
    ) -> Iterator[system.Running]:
        self._started += 1
        folder = self._folder / f"v{self._started}"
        folder.mkdir()
        database = f"sqlite:///{folder}/bench.db"
        if not sqlite:
            database = (count_on or self._postgres).fresh(f"variant_bench_{self._started}")
        counting: Callable[[], contextlib.AbstractContextManager[None]] = (
            count_on.counting if count_on else contextlib.nullcontext
        )
        with (
            system.redis(folder) as (url, redis_pid),
            counting(),
            system.gatepost(
                folder, database, url, self._sink, bots, dynos=dynos, application=application
            ) as running,
        ):
            running.parts["redis"] = [redis_pid]
            yield running
