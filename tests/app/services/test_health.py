"""What the metrics count, and how long a part may take to say that it lives."""

from __future__ import annotations

import time

import pytest

from app.extensions import db
from app.models import Destination, DestinationStatus, Postback, Update, UpdateState
from app.services import health

NOW = 1_800_000_000.0


def measured() -> dict[tuple, float]:
    db.session.commit()  # what the test has arranged
    return {
        (sample.name.removeprefix("gatepost_"), *sample.labels.values()): sample.value
        for family in health.metrics()
        for sample in family.samples
    }


def update(number: int, **fields) -> Update:
    return Update(bot_id=1, update_id=number, body=b"{}", **{"received": NOW, **fields})


def postback(number: int, destination: Destination, **fields) -> Postback:
    wanted = {
        "account_id": 1,
        "campaign_id": 1,
        "lead_id": number,
        "destination_id": destination.id,
        "sequence": 1,
        "kind": "wait",
        "event": "{}",
        "created": NOW,
    }
    return Postback(**wanted | fields)


@pytest.fixture
def destination(app, account):
    row = Destination(
        account_id=account.id,
        tracker="a tracker with a telling name",
        settings="{}",
        events=31,
        created=0,
    )
    db.session.add(row)
    db.session.commit()
    return row


def test_a_part_that_hangs_counts_as_down_and_is_asked_once_only():
    asked = []

    def hang() -> str:
        asked.append(1)
        time.sleep(0.3)
        return ""

    probe = health._Probe("test")
    assert [probe.fault(hang, 0.01) for _ in range(5)] == [health.SILENT] * 5
    assert asked == [1]
    assert probe.fault(hang, 5) == ""


def test_metrics_count_what_is_on_its_way(destination):
    now = time.time()
    db.session.add_all(
        [
            update(1, received=now - 60),
            update(2, received=now - 30),
            update(3, state=UpdateState.QUARANTINED),
            update(4, state=UpdateState.DONE),
            postback(1, destination, due=now - 20),
            postback(2, destination, due=now + 500),
            postback(3, destination, due=now, state=1, lease="x", lease_until=now + 60),
            postback(4, destination, due=now, state=2),
        ]
    )
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


def test_metrics_show_destinations_that_rest_or_are_off(destination):
    destination.blocked_until = time.time() + 60
    destination.failures = 3
    other = {"account_id": destination.account_id, "settings": "{}", "events": 0, "created": 0}
    db.session.add(Destination(tracker="off", status=DestinationStatus.OFF, **other))
    paced = time.time() + 60  # by the tracker's own rate; that is no trouble
    db.session.add(Destination(tracker="paced", blocked_until=paced, **other))
    seen = measured()
    assert seen[("destinations_blocked",)] == 1
    assert seen["destinations", "off"] == 1
    assert seen["destinations", "active"] == 2
    assert seen["bots", "active"] == 0
