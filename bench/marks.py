"""The marks that a run is held against, as a table and as one JSON line."""

import json
import math
import platform
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil  # type: ignore[import-untyped]

from bench.measure import heading
from bench.sink import ROOT

RESULTS: Final = ROOT / "var" / "bench.jsonl"


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure by its key, what it should be at least or at most, and how it is written."""

    key: str
    name: str
    at_least: float = -math.inf
    at_most: float = math.inf
    form: str = "{:,.2f}"

    def is_reached(self, value: float) -> bool:
        """Whether the figure is on the good side of its mark."""
        return self.at_least <= value <= self.at_most

    @property
    def bound(self) -> str:
        """The mark as people write it."""
        if self.at_most < math.inf:
            return "≤ " + self.form.format(self.at_most)
        return "≥ " + self.form.format(self.at_least)


MARKS: Final = (
    Mark("rate", "postbacks/s, of the control's", at_least=2.5),
    Mark("CPU", "CPU per postback, of the control's", at_most=0.5),
    Mark("steady p50", "update to postback at 100/s, p50 ms", at_most=8, form="{:,.1f}"),
    Mark("steady p99", "update to postback at 100/s, p99 ms", at_most=25, form="{:,.1f}"),
    Mark("steady CPU", "CPU ms per postback at 100/s", at_most=4, form="{:,.1f}"),
    Mark(
        "alone at once statements",
        "statements of an update that comes alone",
        at_most=16,
        form="{:,.1f}",
    ),
    Mark("door", "updates/s taken, of an empty Flask view's", at_least=0.6),
    Mark("press p95", "/c/ from the pool at 200/s, p95 ms", at_most=15, form="{:,.1f}"),
    Mark("chain p95", "join by a link to postback, p95 ms", at_most=25, form="{:,.1f}"),
    Mark("bots", "1,000 bots beside 10: the rate", at_least=0.9),
    Mark("dynos", "two worker dynos beside one: the rate", at_least=1.0),
    Mark("sqlite", "SQLite beside PostgreSQL: the rate", at_least=0.6),
    Mark("idle CPU", "idle, % of a core", at_most=1),
    Mark("idle statements", "idle, statements/s", at_most=3, form="{:,.1f}"),
    Mark("desk greeting", "a greeting beside 10,000 decisions, max s", at_most=2),
    Mark("desk at once greeting", "the same with all of them due, max s", at_most=2),
    Mark("faults", "lost, doubled or refused", at_most=0, form="{:,.0f}"),
    Mark("million", "1,000,000 rows beside 10,000: the rate", at_least=0.9),
    Mark("last first row", "first row of the last of 2,000, s", at_most=2),
    Mark("last rate", "2,000 destinations beside 50: the rate", at_least=0.9),
    Mark("dead", "10 % of destinations dead: the others' rate", at_least=0.9),
    Mark("dead p99", "10 % dead: the others' p99, of that of none", at_most=1.5),
    Mark("hanging p99", "10 % hanging: the same", at_most=1.5),
    Mark("hanging", "10 % hanging: the others' rate", at_least=0.9),
    Mark("quiet p95", "quiet beside 200,000 rows, p95 ms", at_most=30, form="{:,.0f}"),
    Mark("quiet max", "the same, max ms", at_most=300, form="{:,.0f}"),
    Mark("quiet p95, one host", "quiet on the same host, p95 ms", at_most=30, form="{:,.0f}"),
    Mark("quiet max, one host", "the same, max ms", at_most=300, form="{:,.0f}"),
    Mark("one destination", "one destination alone, postbacks/s", at_least=2_500, form="{:,.0f}"),
)


def report(values: Mapping[str, float], path: Path = RESULTS) -> None:
    """Print the table, and append the run to `path` as one JSON line."""
    heading("The marks of issue 11")
    for mark in MARKS:
        value = values.get(mark.key, math.nan)
        if math.isnan(value):
            text, verdict = "-", "not measured"
        else:
            text = mark.form.format(value)
            verdict = "reached" if mark.is_reached(value) else "NOT reached"
        print(f"{mark.name:46}{text:>10}{mark.bound:>12}  {verdict}")
    line = json.dumps(_run() | {"values": _finite(values)})
    print(line)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as book:
        book.write(f"{line}\n")


def _finite(values: Mapping[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in values.items() if math.isfinite(value)}


def _run() -> dict[str, object]:
    """What was measured, where and when."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit,
        "python": platform.python_version(),
        "cores": psutil.cpu_count(),
        "load": round(psutil.getloadavg()[0], 1),
    }
