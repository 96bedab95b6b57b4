"""What comes and goes is logged once each time."""

from concurrent.futures import ThreadPoolExecutor

import structlog

from app.health_watch import HealthWatch


def test_only_a_change_of_state_is_logged():
    watch = HealthWatch("redis")
    with structlog.testing.capture_logs() as lines:
        for well in (True, False, False, True, True, False):
            watch.update(well=well, error="why")
    assert [line["event"] for line in lines] == ["redis.lost", "redis.back", "redis.lost"]
    assert lines[0]["error"] == "why"
    assert lines[1]["times"] == 2


def test_threads_that_meet_one_fault_at_once_log_it_once():
    watch = HealthWatch("inbox")
    with structlog.testing.capture_logs() as lines, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: watch.update(well=False), range(400)))
        list(threads.map(lambda _: watch.update(well=True), range(400)))
    assert [line["event"] for line in lines] == ["inbox.lost", "inbox.back"]
    assert lines[1]["times"] == 400
