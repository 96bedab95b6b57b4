"""How long a part may take to say that it lives."""

from __future__ import annotations

import time

from app.services import health


def test_a_part_that_hangs_counts_as_down_and_is_asked_once_only():
    asked = []

    def hang() -> str:
        asked.append(1)
        time.sleep(0.3)
        return ""

    probe = health.Probe("test")
    assert [probe.fault(hang, 0.01) for _ in range(5)] == [health.SILENT] * 5
    assert asked == [1]
    assert probe.fault(hang, 5) == ""
