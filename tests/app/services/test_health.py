"""How long a part may take to say that it lives."""

import threading

from app.services import health


def test_a_part_that_hangs_counts_as_down_and_is_asked_once_only():
    asked, over = [], threading.Event()

    def hang() -> str:
        asked.append(1)
        over.wait(60)
        return ""

    probe = health.Probe("test")
    assert [probe.fault(hang, 0.01) for _ in range(5)] == [health.SILENT] * 5
    assert asked == [1]
    over.set()
    assert probe.fault(hang, 60) == ""
