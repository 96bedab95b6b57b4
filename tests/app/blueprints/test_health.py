"""Health as a load balancer and a monitor see it, over HTTP."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from app.extensions import cipher, db, wakeup
from app.local.redis_server import EmbeddedRedis
from app.models import BotFault, BotFaultKind
from app.queues import CLOCK, Queue
from app.services import health
from app.services.accounts import rate_limits
from app.services.sealed import WRONG_KEY


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


@pytest.fixture
def worker(app):
    """A worker of which each process has just given a sign."""
    for name in (CLOCK, *Queue):
        wakeup.redis.set(f"gatepost:heartbeat:{name}", "1", ex=60)


def test_it_is_ready_when_both_answer(client, worker):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ok", "database": True, "redis": True, "worker": True}


def test_a_worker_that_gives_no_sign_is_named_and_callers_still_come(client, worker):
    wakeup.redis.delete("gatepost:heartbeat:postbacks")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "ok",
        "database": True,
        "redis": True,
        "worker": False,
        "faults": {"worker": "no sign for a minute of: postbacks"},
    }


def test_metrics_tell_of_workers_and_of_faults_of_bots(client, worker, world):
    wakeup.redis.delete("gatepost:heartbeat:postbacks")
    db.session.add(BotFault(bot_id=world.bot(), kind=BotFaultKind.WEBHOOK, since=1.0, seen=1.0))
    samples = scrape(client)
    assert [samples["worker_alive", name] for name in ("clock", "updates", "postbacks")] == [
        1,
        1,
        0,
    ]
    assert [samples["bot_faults", kind] for kind in ("webhook", "token")] == [1, 0]


def test_a_database_that_lacks_a_migration_is_not_ready(live_app, client, worker):
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.get_json()["faults"]["database"].startswith("is at 0001, the code wants 00")
    finally:
        db.session.remove()
        db.engine.dispose()
        with db.engine.begin() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
    assert client.get("/readyz").status_code == 200


def test_a_wrong_key_is_not_ready(live_app, client, world, settings):
    world.bot()
    db.session.commit()
    cipher.set_key("another key than that of the bot")
    try:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.get_json()["faults"]["database"] == WRONG_KEY
    finally:
        cipher.set_key(settings().secret_key)
    assert client.get("/readyz").status_code == 200


def test_without_the_database_it_is_not_ready_and_says_which(client, database_away, worker):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {
        "status": "error",
        "database": False,
        "redis": True,
        "worker": True,
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
        faults = answer.get_json()["faults"]
        assert (answer.status_code, faults["database"]) == (503, health.READ_ONLY)
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


def test_strangers_look_at_the_metrics_a_bounded_number_of_times(client):
    for _ in range(rate_limits.SCRAPES.burst):
        rate_limits.SCRAPES.hit("127.0.0.1")
    refused = client.get("/metrics")
    assert refused.get_json()["error"] == "rate"
    assert refused.status_code >= 400
    assert client.get("/readyz").status_code == 200
