"""How delivery grows: many rows, many destinations, sick ones, and a quiet one beside a loud one.

Each case is a process of `bench.delivery` on a database of its own.
"""

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench import system
from bench.delivery import Group
from bench.sink import Sink

HOSTS: Final = 60  # addresses of the sink
_WELL: Final = Group("well", destinations=45, rows=9_000, hosts=10)
_QUIET: Final = Group("quiet", destinations=1, rows=200, every=0.02, host=50)


@dataclass(frozen=True, slots=True)
class Case:
    """One process, and at most so many seconds of delivery."""

    name: str
    groups: tuple[Group, ...]
    seconds: float = 60.0
    quick: bool = True  # also in a quick run


CASES: Final = (
    Case("10,000 rows, 50 destinations", (Group("all", 50, 10_000, hosts=10),)),
    Case("1,000,000 rows, 50 destinations", (Group("all", 50, 1_000_000, hosts=10),), 15.0, False),
    Case("2,000 destinations", (Group("all", 2_000, 20_000, hosts=10),)),
    Case("one destination", (Group("one", 1, 8_000),)),
    Case("none sick", (_WELL,), 30.0, False),
    Case(
        "10 % dead",
        (_WELL, Group("sick", 5, 9_000, answer="dead", host=20, awaited=False)),
        30.0, False,
    ),
    Case(
        "10 % hanging",
        (_WELL, Group("sick", 5, 9_000, answer="hang", host=20, hosts=5, awaited=False)),
        30.0, False,
    ),
    Case(
        "a quiet account",
        (Group("loud", 10, 200_000, hosts=10, awaited=False), _QUIET),
        30.0, False,
    ),
    Case(
        "a quiet account, one host",
        (Group("loud", 10, 200_000, host=50, awaited=False), _QUIET),
        30.0, False,
    ),
)  # fmt: skip


class Growth:
    """Runs the cases, prints a line for each round, and keeps what the marks ask for."""

    def __init__(self, postgres: system.Postgres, sink: Sink) -> None:
        self._postgres = postgres
        self._sink = sink
        self._runs = 0
        self._results: dict[str, list[dict[str, Any]]] = {}

    def run(self, rounds: int, *, quick: bool) -> None:
        """Let the cases take turns, so that each round of all meets the same machine."""
        for _ in range(rounds):
            for case in CASES:
                if case.quick or not quick:
                    self._run(case)

    def marks(self) -> dict[str, float]:
        """What was measured, by the names of `bench.marks`; nan for what was not."""
        few, last = "10,000 rows, 50 destinations", "2,000 destinations"
        one, million = "one destination", "1,000,000 rows, 50 destinations"
        values = {
            "one destination": self._median(one, lambda run: _group(run, "one")["rate"]),
            "million": self._ratio(million, few, lambda run: _group(run, "all")["rate"]),
            "last first row": self._median(last, lambda run: _group(run, "all")["first max"]),
            "last rate": self._ratio(last, few, lambda run: _group(run, "all")["rate"]),
            "last CPU": self._ratio(last, few, _cpu),
        }
        for word in ("dead", "hanging"):
            sick = f"10 % {word}"
            values[word] = self._ratio(sick, "none sick", lambda run: _group(run, "well")["rate"])
            values[f"{word} p99"] = self._ratio(
                sick, "none sick", lambda run: _group(run, "well")["wait p99"]
            )
        for place in ("", ", one host"):
            case = f"a quiet account{place}"
            values[f"quiet p95{place}"] = self._median(case, lambda run: _quiet(run, "p95"))
            values[f"quiet max{place}"] = self._median(case, lambda run: _quiet(run, "max"))
        return values

    def _run(self, case: Case) -> None:
        self._runs += 1
        database = self._postgres.fresh(f"growth_bench_{self._runs}")
        environ = system.environment(database, "redis://127.0.0.1:1")
        self._postgres.checkpoint()
        arguments = ["--groups", json.dumps([asdict(group) for group in case.groups])]
        arguments += ["--sink", str(self._sink.port), "--postgres", str(self._postgres.pid)]
        arguments += ["--seconds", str(case.seconds)]
        printed = system.run_module("bench.delivery", arguments, environ)
        result = json.loads(printed.splitlines()[-1])
        self._results.setdefault(case.name, []).append(result)
        _print(case.name, result)

    def _median(self, case: str, value: Callable[[dict[str, Any]], float]) -> float:
        runs = self._results.get(case, ())
        return statistics.median(map(value, runs)) if runs else math.nan

    def _ratio(self, case: str, to: str, value: Callable[[dict[str, Any]], float]) -> float:
        """The median of the ratios of runs that followed each other."""
        pairs = zip(self._results.get(case, ()), self._results.get(to, ()), strict=False)
        ratios = [value(run) / value(base) for run, base in pairs if value(base)]
        return statistics.median(ratios) if ratios else math.nan


def _group(run: Mapping[str, Any], name: str) -> dict[str, Any]:
    groups: Sequence[dict[str, Any]] = run["groups"]
    return next(group for group in groups if group["name"] == name)


def _quiet(run: Mapping[str, Any], figure: str) -> float:
    return float(_group(run, "quiet")[f"wait {figure}"])


def _cpu(run: Mapping[str, Any]) -> float:
    return float(run["python ms"] + run["postgresql ms"])


def _print(name: str, run: Mapping[str, Any]) -> None:
    print(
        f"{name:34} CPU ms a row: Python {run['python ms']:.3f}, PostgreSQL"
        f" {run['postgresql ms']:.3f}; {run['statements']:.2f} statements, {run['wal']:,.0f} B WAL"
    )
    for group in run["groups"]:
        print(
            f"  {group['name']:10}{group['came']:9,} came, {group['rate']:7,.0f}/s;"
            f" the last of {group['reached']:,} destinations heard first after"
            f" {group['first max']:.2f} s; due to there p50 {group['wait p50']:,.0f},"
            f" p95 {group['wait p95']:,.0f}, max {group['wait max']:,.0f} ms",
            flush=True,
        )
