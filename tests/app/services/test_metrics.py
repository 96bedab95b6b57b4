"""What the metrics count."""

import time

from app.extensions import db
from app.models import BotStatus, DestinationStatus, Update, UpdateState
from app.services import lease_reclaims, metrics

NOW = 1_800_000_000.0


def measured() -> dict[tuple, float]:
    db.session.commit()  # what the test has arranged
    return {
        (sample.name.removeprefix("gatepost_"), *sample.labels.values()): sample.value
        for family in metrics.metrics()
        for sample in family.samples
    }


def update(number: int, **fields) -> Update:
    return Update(bot_id=1, update_id=number, body=b"{}", **{"received": NOW, **fields})


def test_metrics_count_what_is_on_its_way(app, world):
    destination = world.destination()
    now = time.time()
    db.session.add_all(
        [
            update(1, received=now - 60),
            update(2, received=now - 30),
            update(3, state=UpdateState.QUARANTINED),
            update(4, state=UpdateState.DONE),
        ]
    )
    world.postback(destination, state=0, due=now - 20)
    world.postback(destination, state=0, due=now + 500)
    world.postback(destination, state=1, due=now, lease="x", lease_until=now + 60)
    world.postback(destination, state=2, due=now)
    seen = measured()
    assert seen["updates", "waiting"] == 2
    assert seen["updates", "quarantined"] == 1
    assert 60 <= seen[("updates_oldest_seconds",)] < 120
    assert seen["postbacks", "waiting"] == 2
    assert seen["postbacks", "due"] == 1
    assert seen["postbacks", "sending"] == 1
    assert 20 <= seen[("postbacks_oldest_seconds",)] < 80
    assert seen["messages", "waiting"] == 0
    assert seen[("messages_oldest_seconds",)] == 0


def test_what_waits_at_telegram_is_counted_over_living_bots(app, world):
    now = time.time()
    world.bot(webhook_pending=3, webhook_error="refused", webhook_error_time=now - 60)
    world.bot(webhook_pending=4, webhook_error="refused", webhook_error_time=now - 7200)
    world.bot(status=BotStatus.DELETED, webhook_pending=9, webhook_error_time=now)
    seen = measured()
    assert seen[("telegram_updates_waiting",)] == 7
    assert seen[("webhooks_failing",)] == 1


def test_a_look_stops_counting_what_is_due_however_many_trackers_it_is_due_to(
    app, world, monkeypatch
):
    monkeypatch.setattr(metrics, "CEILING", 5)
    for _ in range(4):
        destination = world.destination()
        for _ in range(3):
            world.postback(destination, state=0, due=time.time() - 20)
    assert measured()["postbacks", "due"] == 5


def test_metrics_show_destinations_that_rest_or_are_off(app, world):
    soon = time.time() + 60
    world.destination(blocked_until=soon, failures=3)
    world.destination(status=DestinationStatus.OFF)
    world.destination(blocked_until=soon)  # by the tracker's own rate; that is no trouble
    seen = measured()
    assert seen[("destinations_blocked",)] == 1
    assert seen["destinations", "off"] == 1
    assert seen["destinations", "active"] == 2
    assert seen["bots", "active"] == 0


def test_metrics_show_growth_and_what_was_taken_over(app, world):
    world.postback(world.destination())
    lease_reclaims.record(lease_reclaims.POSTBACKS, 3)
    seen = measured()
    assert seen["lease_reclaims_total", "postbacks"] == 3
    assert seen["lease_reclaims_total", "messages"] == 0
    assert ("table_rows", "postback") in seen
    assert seen[("database_bytes",)] > 0


def test_how_long_the_oldest_waits_is_told_by_kind(app, world):
    now = time.time()
    db.session.add(update(1, received=now - 60))
    world.postback(world.destination(), state=0, due=now - 20)
    assert metrics.oldest_seconds(now) == {"updates": 60, "postbacks": 20, "messages": 0}
