"""What the processes of a system cost and say while something is away."""

import json
import time
from collections import Counter
from typing import Any

import psutil
import requests

from tests.journeys.system import System

#: Web has two processes, worker four: each may say once that something went, and came back.
PROCESSES = 6


def cpu_seconds(system: System) -> float:
    """The CPU time of all processes of web and worker since they began."""
    total = 0.0
    for process in system.processes.values():
        parent = psutil.Process(process.pid)
        for member in (parent, *parent.children(recursive=True)):
            times = member.cpu_times()
            total += times.user + times.system
    return total


def cpu_seconds_while_waiting(system: System, seconds: float) -> float:
    """The CPU time that a system needs while nothing is sent to it for `seconds`."""
    used = cpu_seconds(system)
    time.sleep(seconds)
    return cpu_seconds(system) - used


def lines(system: System) -> list[dict[str, Any]]:
    """All that was logged as JSON."""
    return [json.loads(line) for line in system.log_text().splitlines() if line.startswith("{")]


def events(system: System) -> Counter[str]:
    """How often each event was logged."""
    return Counter(line["event"] for line in lines(system))


def is_over(counts: Counter[str], parts: tuple[str, ...]) -> bool:
    """Whether whatever was lost is back, by the log."""
    return all(counts[f"{part}.lost"] == counts[f"{part}.back"] for part in parts)


def readiness(system: System) -> tuple[int, dict[str, Any]]:
    """Status and answer of `/readyz`."""
    answer = requests.get(f"{system.url}/readyz", timeout=120)
    return answer.status_code, answer.json()
