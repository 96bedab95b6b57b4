"""`make soak`: a thousand kills over 20,000 updates, with progress. No part of `make test`."""

import sys
import time
from typing import Any

import pytest

from tests.journeys.test_crash import POINTS, storm

EACH = 70  # deaths at each named point
STRIKES = {
    "worker_child": 300, "worker": 45, "supervisor": 45, "web_child": 90, "web": 30, "redis": 70,
}  # fmt: skip
KILLS = EACH * len(POINTS) + sum(STRIKES.values())
PEOPLE = 5_000  # 20,000 updates


@pytest.mark.timeout(3600)
def test_a_thousand_kills_lose_and_double_nothing(start_system: Any, tracker: Any):
    assert KILLS >= 1_000
    said = 0.0

    def progress(kills: int, updates: int) -> None:
        nonlocal said
        if time.monotonic() - said > 10:
            said = time.monotonic()
            sys.stdout.write(f"{kills:,} of {KILLS:,} kills, {updates:,} updates released\n")
            sys.stdout.flush()

    storm(
        start_system, tracker,
        database="postgresql", size=PEOPLE, each=EACH, strikes=STRIKES, progress=progress,
    )  # fmt: skip
