"""CPU and memory of process trees, percentiles, and the lines of the report."""

import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

from bench.load import Sent
from bench.sink import Hit

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of one process, in MB."""

    part: str
    pid: int
    mb: float


class Meter:
    """Reads the CPU time and memory of named process trees, and single processes.

    `around` are the processes of the benchmark itself: of those only the CPU
    counts, and their children are others' parts.
    """

    def __init__(
        self, roots: Mapping[str, Iterable[int]], around: Mapping[str, Iterable[int]]
    ) -> None:
        self._roots = {part: list(pids) for part, pids in roots.items()}
        self._around = {part: list(pids) for part, pids in around.items()}

    def cpu(self) -> dict[str, float]:
        """CPU seconds used so far by each part, its ended children included."""
        trees = {
            part: sum(_cpu(process) for pid in pids for process in _tree(pid))
            for part, pids in self._roots.items()
        }
        return trees | {
            part: sum(_cpu(psutil.Process(pid)) for pid in pids)
            for part, pids in self._around.items()
        }

    def memory(self) -> list[Memory]:
        """One line for each living process."""
        return [
            Memory(part, process.pid, process.memory_info().rss / 1e6)
            for part, pids in self._roots.items()
            for pid in pids
            for process in _tree(pid)
        ]


@dataclass(frozen=True, slots=True)
class Round:
    """The results of one round. Latencies are milliseconds, sorted."""

    updates_per_second: float
    postbacks_per_second: float
    latencies: list[float]
    answers: list[float]
    cpu: dict[str, float]  # milliseconds per postback, by part
    lost: int
    doubled: int
    repeated: int
    refused: int


def judge(
    sent: Sent, hits: Sequence[Hit], owed: set[tuple[str, str]], cpu: Mapping[str, float]
) -> Round:
    """Compare the postbacks that arrived with those that were owed. `cpu` is seconds by part."""
    first: dict[tuple[str, str], float] = {}
    seen = Counter((hit.click, hit.status) for hit in hits)
    for hit in hits:
        first.setdefault((hit.click, hit.status), hit.at)
    came = owed & first.keys()
    stray = sum(count for key, count in seen.items() if key not in owed)
    last = max((first[key] for key in came), default=math.nan)
    return Round(
        updates_per_second=sent.acknowledged / (sent.ended - sent.began),
        postbacks_per_second=len(came) / (last - sent.began),
        latencies=sorted(1000 * (first[key] - sent.at[key]) for key in came),
        answers=sorted(1000 * seconds for seconds in sent.waits),
        cpu={part: 1000 * seconds / (len(came) or math.nan) for part, seconds in cpu.items()},
        lost=len(owed) - len(came),
        doubled=sum(seen[key] - 1 for key in came) + stray,
        repeated=sent.repeated,
        refused=sent.refused,
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of sorted values; nan of none."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the report: a name, its value in one round, and its form."""

    name: str
    value: Callable[[Round], float]
    form: str = "{:,.0f}"
    total: bool = False  # summed over the rounds, where a median would hide one


def show(values: Sequence[float], figure: Figure) -> str:
    """The median and the spread, or the sum."""
    if figure.total:
        return figure.form.format(sum(values))
    middle = figure.form.format(statistics.median(values))
    if len(values) == 1:
        return middle
    low, high = figure.form.format(min(values)), figure.form.format(max(values))
    return f"{middle} ({low}..{high})"


def compare(figures: Sequence[Figure], runs: Mapping[str, Sequence[Round]]) -> None:
    """Print the first run beside each of the others, with its ratio to it."""
    first, *others = runs
    for other in others:
        _table(figures, {first: runs[first], other: runs[other]})
    if not others:
        _table(figures, runs)


def _table(figures: Sequence[Figure], runs: Mapping[str, Sequence[Round]]) -> None:
    both = len(runs) == 2
    print(f"{'':27}" + "".join(f"{name:>22}" for name in runs) + (f"{'ratio':>8}" if both else ""))
    for figure in figures:
        columns = [[figure.value(one) for one in rounds] for rounds in runs.values()]
        line = f"{figure.name:27}" + "".join(f"{show(column, figure):>22}" for column in columns)
        if both and not figure.total and (base := statistics.median(columns[1])):
            line += f"{statistics.median(columns[0]) / base:8.2f}"
        print(line.rstrip())


def heading(text: str) -> None:
    """A section begins."""
    print(f"\n{text}\n{'-' * min(WIDTH, len(text))}", flush=True)


class Progress:
    """Prints the progress of a long task: in place on a terminal, rarely elsewhere."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._live = sys.stderr.isatty()
        self._next = 0.0

    def __call__(self, done: int) -> None:
        """`done` of the total are finished."""
        now = time.monotonic()
        if now >= self._next:
            self._say(f"{self._title}: {done:,} of {self._total:,}")
            self._next = now + (0.5 if self._live else 10)

    def done(self) -> None:
        """Leave the line empty for what follows."""
        if self._live:
            self._write("\r\x1b[K")

    def _say(self, text: str) -> None:
        self._write(f"\r\x1b[K{text}" if self._live else f"{text}\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu(process: psutil.Process) -> float:
    """Its own time and that of its ended children. Living ones count themselves."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    own = float(times.user + times.system)
    return own + float(times.children_user + times.children_system)
