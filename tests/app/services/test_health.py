"""Health as a load balancer and a monitor see it."""

from __future__ import annotations

import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app.extensions import db, wakeup
from app.local.redis_server import EmbeddedRedis
from app.models import Destination, DestinationStatus, Postback, Update, UpdateState
from app.services import health

NOW = 1_800_000_000.0


def scrape(client) -> dict[tuple, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    return {
        (sample.name.removeprefix("gatepost_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.get_data(as_text=True))
        for sample in family.samples
    }


@pytest.fixture
def own_redis(live_app, settings, redis_server, tmp_path):
    """A Redis that a test may kill."""
    with EmbeddedRedis(tmp_path) as server:
        wakeup.open(server.url)
        yield server
    wakeup.open(redis_server.url)


@pytest.fixture
def database_away(app, monkeypatch):
    """A database whose connections fail."""

    def refuse():
        raise OSError("no route")

    monkeypatch.setattr(db.engine, "raw_connection", refuse)


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


def test_a_living_process_says_so_and_asks_nobody(client, database_away):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_it_is_ready_when_both_answer(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ok", "database": True, "redis": True}


def test_without_the_database_it_is_not_ready_and_says_which(client, database_away):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {
        "status": "error",
        "database": False,
        "redis": True,
        "faults": {"database": "does not answer"},
    }


def test_a_database_that_takes_no_writes_is_not_ready(live_app, client):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file has no standby")
    name = db.engine.url.database
    with db.engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    db.engine.dispose()
    try:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.get_json()["faults"]) == (
            503, {"database": health.READ_ONLY},
        )  # fmt: skip
    finally:
        with db.engine.connect() as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.commit()
            connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
            connection.commit()
        db.engine.dispose()
    assert client.get("/readyz").status_code == 200


def test_without_redis_it_is_not_ready_and_is_again_when_it_is_back(own_redis, client):
    own_redis.stop(kill=True)
    assert client.get("/readyz").get_json()["redis"] is False
    assert client.get("/readyz").status_code == 503
    own_redis.start()
    assert client.get("/readyz").status_code == 200


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


def test_metrics_count_what_is_on_its_way(client, destination):
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
    seen = scrape(client)
    assert seen["updates", "waiting"] == 2
    assert seen["updates", "quarantined"] == 1
    assert 60 <= seen[("updates_oldest_seconds",)] < 120
    assert seen["postbacks", "waiting"] == 2
    assert seen["postbacks", "due"] == 1
    assert seen["postbacks", "sending"] == 1
    assert 20 <= seen[("postbacks_oldest_seconds",)] < 80
    assert seen["messages", "waiting"] == 0
    assert seen[("messages_oldest_seconds",)] == 0


def test_metrics_show_destinations_that_rest_or_are_off(client, destination):
    destination.blocked_until = time.time() + 60
    destination.failures = 3
    other = {"account_id": destination.account_id, "settings": "{}", "events": 0, "created": 0}
    db.session.add(Destination(tracker="off", status=DestinationStatus.OFF, **other))
    paced = time.time() + 60  # by the tracker's own rate; that is no trouble
    db.session.add(Destination(tracker="paced", blocked_until=paced, **other))
    seen = scrape(client)
    assert seen[("destinations_blocked",)] == 1
    assert seen["destinations", "off"] == 1
    assert seen["destinations", "active"] == 2
    assert seen["bots", "active"] == 0


def test_metrics_name_no_customer(client, account, destination):
    text = client.get("/metrics").get_data(as_text=True)
    assert account.login not in text
    assert destination.tracker not in text


def test_metrics_still_answer_when_the_database_is_away(client, database_away):
    seen = scrape(client)
    assert seen[("database_up",)] == 0
    assert seen[("redis_up",)] == 1
    assert ("updates", "waiting") not in seen
