"""What comes and goes is logged once each time."""

from __future__ import annotations

import structlog

from app.health_watch import HealthWatch


def test_only_a_change_of_state_is_logged():
    watch = HealthWatch("redis")
    with structlog.testing.capture_logs() as lines:
        for well in (True, False, False, True, True, False):
            watch.update(well=well, error="why")
    assert [line["event"] for line in lines] == ["redis.lost", "redis.back", "redis.lost"]
    assert lines[0]["error"] == "why"
