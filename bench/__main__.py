"""`python -m bench`: the whole system from update to postback, and a control.

Everything runs on this machine: PostgreSQL with fsync on, Redis, the lines of
the Procfile, an aiogram bot that does the same work, a load generator and a
sink that plays the tracker. Rounds of system and control take turns. At the end
stand the marks, also as one JSON line that is appended to `var/bench.jsonl`.
"""

import argparse
import contextlib
import math
import platform
import statistics
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from bench import desk, marks, system
from bench import sink as sinks
from bench.growth import HOSTS, Growth
from bench.measure import WIDTH, Figure, Meter, Round, compare, heading, percentile
from bench.presses import Presses
from bench.rounds import Pressure, Track
from bench.variants import Variants

AROUND = ("load generator", "sink")  # parts that are not the measured program
WARM_UP = 200
CLAIM_ROWS = (1_000, 1_000_000)


def _own_cpu(one: Round) -> float:
    return sum(ms for part, ms in one.cpu.items() if part not in AROUND)


FLOOD = (
    Figure("updates/s acknowledged", lambda one: one.updates_per_second),
    Figure("postbacks/s delivered", lambda one: one.postbacks_per_second),
    Figure("update to postback p50 ms", lambda one: percentile(one.latencies, 0.50), "{:,.1f}"),
    Figure("update to postback p99 ms", lambda one: percentile(one.latencies, 0.99), "{:,.1f}"),
    Figure("update to answer p50 ms", lambda one: percentile(one.answers, 0.50), "{:,.1f}"),
    Figure("update to answer p99 ms", lambda one: percentile(one.answers, 0.99), "{:,.1f}"),
    Figure("CPU ms per postback", _own_cpu, "{:.2f}"),
    Figure("lost", lambda one: one.lost, total=True),
    Figure("doubled or stray", lambda one: one.doubled, total=True),
    Figure("sent again", lambda one: one.repeated, total=True),
    Figure("never acknowledged", lambda one: one.refused, total=True),
)


def main() -> int:
    asked = _arguments()
    try:
        with contextlib.ExitStack() as stack:
            return Bench(asked, stack).run()
    except system.CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


class Bench:
    """The sections of a run, over servers that are started once."""

    def __init__(self, asked: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        self._asked = asked
        self._stack = stack
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gp-bench-"))
        self._folder = Path(folder)
        self._folder.chmod(0o755)  # under root, PostgreSQL is another user
        self._postgres = stack.enter_context(system.postgres(self._folder))
        self._pressure = Pressure(asked.connections, asked.ahead, asked.patience)
        self._values: dict[str, float] = {}

    def run(self) -> int:
        """All sections that were asked for. 1 if the system lost or doubled anything."""
        self._introduce()
        only = self._asked.only
        sink = self._stack.enter_context(sinks.running(HOSTS))
        if only not in ("claim", "growth", "variants", "desk", "presses"):
            self._beside_control(sink)
        if only in (None, "growth"):
            self._growth(sink)
        if only in (None, "variants"):
            self._variants(sink)
        self._desk(sink)
        if only in (None, "presses"):
            self._presses(sink)
        if only == "claim" or (only is None and not self._asked.quick):
            self._claim()
        if only != "claim":
            marks.report(self._values)
        return 1 if self._values.get("faults") else 0

    def _desk(self, sink: sinks.Sink) -> None:
        if self._asked.only in (None, "desk"):
            self._values |= desk.measure(
                self._folder, self._postgres, sink, quick=self._asked.quick
            )

    def _introduce(self) -> None:
        asked = self._asked
        memory = psutil.virtual_memory().total / 1e9
        print(f"Python {platform.python_version()}, {psutil.cpu_count()} cores, {memory:.0f} GB")
        print("PostgreSQL:", self._postgres.settings())
        print(
            f"{asked.subscribers:,} subscribers x (start, join), {asked.bots} bots,"
            f" {asked.connections} connections, {asked.rounds} rounds"
        )

    def _tracks(self, sink: sinks.Sink) -> list[Track]:
        tracks = []
        if self._asked.only != "control":
            tracks.append(self._system(sink))
        if self._asked.only != "system":
            tracks += [self._control(sink, count) for count in self._asked.control_processes]
        return tracks

    def _system(self, sink: sinks.Sink) -> Track:
        url, redis_pid = self._stack.enter_context(system.redis(self._folder))
        database = self._postgres.fresh("gatepost_bench")
        running = self._stack.enter_context(
            system.gatepost(self._folder, database, url, sink, self._asked.bots)
        )
        return self._track("system", running, sink, {"redis": [redis_pid]})

    def _control(self, sink: sinks.Sink, processes: int) -> Track:
        database = self._postgres.fresh(f"control_bench_{processes}")
        doors = system.made_up_doors(self._asked.bots)
        running = self._stack.enter_context(
            system.control(self._folder, database, sink, doors, processes)
        )
        return self._track("control" if processes == 1 else f"control x{processes}", running, sink)

    def _track(
        self,
        name: str,
        running: system.Running,
        sink: sinks.Sink,
        more: dict[str, list[int]] | None = None,
    ) -> Track:
        around = dict(zip(AROUND, ([psutil.Process().pid], [sink.pid]), strict=True))
        parts = running.parts | (more or {}) | {"postgresql": [self._postgres.pid]}
        return Track(name, running, sink, Meter(parts, around))

    def _warm_up(self, track: Track) -> None:
        one = track.round("warm-up", WARM_UP, self._pressure, self._postgres)
        if one.lost:
            log = system.last_words(self._folder / f"{track.doer}.log")
            missing = f"{one.lost} of {2 * WARM_UP} postbacks in the warm-up"
            raise system.CannotStart(f"{track.name} lost {missing}; {track.doer} says:\n{log}")

    def _flood(self, tracks: list[Track]) -> None:
        rounds: dict[str, list[Round]] = {track.name: [] for track in tracks}
        for number in range(1, self._asked.rounds + 1):
            for track in tracks:
                one = track.round(
                    f"round {number}", self._asked.subscribers, self._pressure, self._postgres
                )
                rounds[track.name].append(one)
        heading("As fast as updates are answered: median (least..most) of the rounds")
        compare(FLOOD, rounds)
        _print_parts(rounds)
        self._count_faults(rounds)
        self._values["rate"] = _ratio(rounds, lambda one: one.postbacks_per_second)
        self._values["CPU"] = _ratio(rounds, _own_cpu)

    def _steady(self, tracks: list[Track]) -> None:
        rate, people = self._asked.rate, self._asked.steady_subscribers
        # A join a second after its start, about as soon as a person can.
        pressure = Pressure(
            self._pressure.connections, int(rate / 2), self._pressure.patience, rate
        )
        rounds = {
            track.name: [track.round("steady", people, pressure, self._postgres)]
            for track in tracks
        }
        heading(f"At a steady {rate:,.0f} updates/s, {2 * people:,} updates")
        compare(FLOOD, rounds)
        self._count_faults(rounds)
        for one in rounds.get("system", []):
            self._values["steady p50"] = percentile(one.latencies, 0.50)
            self._values["steady p99"] = percentile(one.latencies, 0.99)
            self._values["steady CPU"] = _own_cpu(one)

    def _count_faults(self, rounds: dict[str, list[Round]]) -> None:
        for one in rounds.get("system", []):
            faults = one.lost + one.doubled + one.refused
            self._values["faults"] = self._values.get("faults", 0) + faults

    def _beside_control(self, sink: sinks.Sink) -> None:
        tracks = self._tracks(sink)
        for track in tracks:
            self._warm_up(track)
        memory = {track.name: track.meter.memory() for track in tracks}
        if self._asked.only != "latency":
            self._flood(tracks)
        if self._asked.only in (None, "latency"):
            self._steady(tracks)
        for track in tracks:
            _print_memory(track, {line.pid: line.mb for line in memory[track.name]})

    def _growth(self, sink: sinks.Sink) -> None:
        heading("Delivery alone, in one process")
        growth = Growth(self._postgres, sink)
        growth.run(self._asked.rounds, quick=self._asked.quick)
        self._values |= growth.marks()

    def _variants(self, sink: sinks.Sink) -> None:
        variants = Variants(
            self._folder, self._postgres, sink, self._pressure, self._asked.subscribers
        )
        variants.run(self._asked.bots, quick=self._asked.quick)
        self._keep(variants.values)

    def _presses(self, sink: sinks.Sink) -> None:
        presses = Presses(self._folder, self._postgres, sink)
        presses.run(quick=self._asked.quick)
        self._keep(presses.values)

    def _keep(self, values: dict[str, float]) -> None:
        """Keep what a section has measured; its faults are added to those of others."""
        faults = self._values.get("faults", 0) + values.get("faults", 0)
        self._values |= values | {"faults": faults}

    def _claim(self) -> None:
        for rows in self._asked.claim_rows:
            heading(f"Claiming with {rows:,} postbacks waiting")
            database = self._postgres.fresh(f"claim_bench_{rows}")
            environ = system.environment(database, "redis://127.0.0.1:1")
            said = system.run_module("bench.claim", ["--rows", str(rows)], environ)
            for line in said.splitlines():
                indent = " " * (len(line) - len(line.lstrip()) + 6)
                print(textwrap.fill(line, WIDTH, subsequent_indent=indent))


def _ratio(rounds: dict[str, list[Round]], value: Callable[[Round], float]) -> float:
    """The median of what the system's rounds are of the control's that followed them."""
    pairs = zip(rounds.get("system", []), rounds.get("control", []), strict=False)
    ratios = [value(ours) / value(theirs) for ours, theirs in pairs]
    return statistics.median(ratios) if ratios else math.nan


def _print_parts(rounds: dict[str, list[Round]]) -> None:
    for name, ones in rounds.items():
        parts = (
            Figure(part, lambda one, part=part: one.cpu[part], "{:.2f}")  # type: ignore[misc]
            for part in ones[0].cpu
        )
        heading(f"CPU ms per postback by part, {name}")
        compare(list(parts), {name: ones})


def _print_memory(track: Track, before: dict[int, float]) -> None:
    """A line for each process; the many backends of PostgreSQL share one."""
    heading(f"Memory, {track.name}: resident MB after the warm-up and at the end")
    lines = track.meter.memory()
    for line in lines:
        if line.part != "postgresql":
            started = f"{before[line.pid]:8.0f}" if line.pid in before else f"{'-':>8}"
            print(f"{line.part:16}{line.pid:>9}{started}{line.mb:8.0f}")
    backends = [line.mb for line in lines if line.part == "postgresql"]
    print(f"{'postgresql':16}{len(backends):>9} processes, the largest {max(backends):.0f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)

    def number(name: str, default: int, meaning: str) -> None:
        parser.add_argument(
            name, type=int, default=default, metavar="N", help=f"{meaning} ({default:,})"
        )

    number("--subscribers", 5000, "who start and join in each round")
    number("--bots", 10, "each with one campaign")
    number("--rounds", 3, "of each program, in turns")
    number("--connections", 64, "of the load generator")
    number("--ahead", 0, "starts sent before the first join")
    number("--rate", 100, "updates/s in the latency section")
    number("--steady-subscribers", 1000, "in the latency section")
    number("--patience", 20, "seconds without a postback until the missing are lost")
    many: dict[str, Any] = {"type": int, "nargs": "+", "metavar": "N"}
    parser.add_argument("--control-processes", default=[1], help="a control with each (1)", **many)
    parser.add_argument(
        "--claim-rows", default=CLAIM_ROWS, help="waiting (1,000 1,000,000)", **many
    )
    parser.add_argument(
        "--only",
        choices=["system", "control", "latency", "claim", "growth", "variants", "desk", "presses"],
    )
    parser.add_argument("--quick", action="store_true", help="one short round, under a minute")
    asked = parser.parse_args()
    if asked.quick:
        asked.subscribers, asked.rounds, asked.steady_subscribers = 1000, 1, 250
    return asked


if __name__ == "__main__":
    sys.exit(main())
