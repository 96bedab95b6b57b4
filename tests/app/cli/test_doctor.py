"""The doctor finds what is wrong and says what to do."""

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.cli import doctor
from app.extensions import cipher, db, wakeup


def found(name: str) -> doctor.Check:
    return next(check for check in doctor.run() if check.name == name)


def test_tables_that_no_migration_has_made_are_noticed(app):
    check = found("migrations")
    assert not check.ok
    assert "db upgrade" in check.advice


def test_a_database_at_head_is_well(app):
    head = ScriptDirectory("migrations").get_current_head()
    db.session.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
    db.session.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
    db.session.commit()
    assert found("migrations").ok


def test_what_works_is_well(app):
    for name in ("configuration", "database", "redis", "plugins", "webhook"):
        assert found(name).ok, found(name)


def test_a_database_that_takes_no_writes_is_named(app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file has no standby")
    db.session.execute(text("SET TRANSACTION READ ONLY"))
    check = found("database")
    assert not check.ok
    assert "takes no writes" in check.finding
    assert "DATABASE_URL" in check.advice
    assert found("database").ok, "the next transaction takes writes"


def test_a_database_without_a_connection_left_is_named(app, monkeypatch):
    words = "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute"

    def full() -> str:
        raise OperationalError("SELECT 1", {}, Exception(words))

    monkeypatch.setattr(doctor, "_read_only_fault", full)
    check = found("database")
    assert not check.ok
    assert check.finding.startswith("has no connection left: ")
    assert "DATABASE_POOL" in check.advice


def test_a_redis_that_is_away_is_named_and_calmly(app, redis_server):
    wakeup.open("redis://127.0.0.1:1")
    try:
        check, workers = found("redis"), found("workers")
    finally:
        wakeup.open(redis_server.url)
    assert not check.ok
    assert "REDIS_URL" in str(check)
    assert not workers.ok
    assert workers.finding == "unknown"


def test_a_redis_that_refuses_us_is_told_of_as_by_a_start(app, redis_server, change_settings):
    change_settings(redis_url=f"{redis_server.url}?db=99")
    wakeup.open("redis://127.0.0.1:1")
    try:
        check = found("redis")
    finally:
        wakeup.open(redis_server.url)
    assert "DB index is out of range" in check.finding


def test_an_address_that_does_not_lead_to_us_is_noticed(app, change_settings):
    change_settings(public_url="http://127.0.0.1:1")
    check = found("webhook")
    assert not check.ok
    assert "PUBLIC_URL" in check.advice


def test_a_wrong_key_is_named_with_the_way_back(app, world, settings):
    assert found("keys").ok
    world.bot()
    cipher.set_key("another key than that of the bot")
    try:
        check = found("keys")
    finally:
        cipher.set_key(settings().secret_key)
    assert not check.ok
    assert "OLD_SECRET_KEYS" in check.advice


def test_workers_that_give_no_sign_are_named(app):
    check = found("workers")
    assert not check.ok
    assert "clock, updates, postbacks, messages" in check.finding
    for name in ("clock", "updates", "postbacks", "messages"):
        wakeup.redis.set(f"gatepost:heartbeat:{name}", "1", ex=60)
    assert found("workers").ok
