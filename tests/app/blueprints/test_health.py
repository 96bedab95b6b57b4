"""Health as a load balancer and a monitor see it, over HTTP."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app.extensions import db, wakeup
from app.local.redis_server import EmbeddedRedis
from app.services import health


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


def test_metrics_name_no_customer(client, account, world):
    world.destination(tracker="a tracker with a telling name")
    text = client.get("/metrics").get_data(as_text=True)
    assert account.login not in text
    assert "telling" not in text


def test_metrics_still_answer_when_the_database_is_away(client, database_away):
    seen = scrape(client)
    assert seen[("database_up",)] == 0
    assert seen[("redis_up",)] == 1
    assert ("updates", "waiting") not in seen
