"""`flask doctor` checks the installation and says how to mend what is wrong."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import redis
from flask import current_app
from sqlalchemy import text

from app.cli import workload
from app.cli.check import Check, asks_database
from app.config import BadSetting, current_settings
from app.database import schema_version
from app.database.faults import DATABASE_FAULTS, describe_fault
from app.database.schema_version import asking
from app.extensions import db, wakeup
from app.redis_check import check_redis
from app.services import health, sealed
from app.services.health import READ_ONLY
from app.services.updates import quarantine
from plugins.contract import Request
from plugins.trackers.url_template import presets

#: RQ takes a job atomically only with BLMOVE, which came with 6.2.
OLDEST_REDIS = (6, 2)


def run() -> list[Check]:
    """Run all checks, in the order in which to mend things. Needs an app context."""
    checks: list[Callable[[], Check]] = [
        _configuration,
        _database,
        _migrations,
        _keys,
        _updates,
        workload.growth_by_table,
        workload.waiting,
        workload.bots,
        _redis,
        _workers,
        _media_store,
        _plugins,
        _webhook,
        _observability,
    ]
    return [check() for check in checks]


def _configuration() -> Check:
    settings = current_settings()
    if settings.database_url.startswith("sqlite") and settings.web_concurrency > 4:
        return Check(
            "configuration",
            finding=f"SQLite serves {settings.web_concurrency} web processes",
            advice="SQLite has one writer at a time: set DATABASE_URL to a PostgreSQL",
        )
    return Check("configuration", finding="every variable can be used")


def _database() -> Check:
    try:
        fault = _read_only_fault()
        db.session.rollback()
    except DATABASE_FAULTS as error:
        return _database_fault(error)
    if fault:
        return Check(
            "database",
            finding=fault,
            advice="set DATABASE_URL to a database that takes writes, made with ENCODING 'UTF8'",
        )
    return Check("database", finding=f"{db.engine.dialect.name} answers")


def _database_fault(error: Exception) -> Check:
    if health.no_connection_left(error):
        return Check(
            "database",
            finding=f"has no connection left: {describe_fault(error)}",
            advice="close what else holds connections, take a larger plan, or lower DATABASE_POOL,"
            " WEB_CONCURRENCY or WORKERS (docs/operating.md, Growing)",
        )
    return Check(
        "database",
        finding=f"does not answer: {describe_fault(error)}",
        advice="check DATABASE_URL, and that the server runs and takes connections from here",
    )


def _read_only_fault() -> str:
    if db.engine.dialect.name == "sqlite":
        return ""
    return READ_ONLY if db.session.scalar(text("SHOW transaction_read_only")) == "on" else ""


@asks_database("updates")
def _updates() -> Check:
    count = quarantine.count()
    if not count.all:
        return Check("updates", finding="none is quarantined")
    commands = []
    if count.all > count.unusable:
        commands.append("updates requeue --all")
    if count.unusable:
        commands.append("updates discard --unusable for bodies without an update id")
    return Check(
        "updates",
        finding=f"{count.all} quarantined, {count.unusable} of them unusable",
        advice=f"see why: flask --app wsgi updates list; then: {', and '.join(commands)}",
    )


@asks_database("migrations")
def _migrations() -> Check:
    ask = asking(db.session.connection())
    fault = schema_version.pending(ask, is_sqlite=db.engine.dialect.name == "sqlite")
    if not fault:
        return Check("migrations", finding=f"at {schema_version.newest()} or newer")
    return Check(
        "migrations",
        finding=f"the database {fault}",
        advice="run: flask --app wsgi db upgrade",
    )


@asks_database("keys")
def _keys() -> Check:
    fault = sealed.key_fault(asking(db.session.connection()))
    waiting = sealed.webhooks_to_renew()
    if fault:
        return Check(
            "keys",
            finding=fault,
            advice="restore the earlier key as SECRET_KEY; or name it in OLD_SECRET_KEYS"
            " and run: flask --app wsgi secrets rotate",
        )
    old = len(current_settings().old_secret_keys)
    finding = f"open what is sealed; {old} old, {waiting} webhooks to be set anew" if old else ""
    return Check("keys", finding=finding or "SECRET_KEY opens what is sealed")


def _workers() -> Check:
    if not wakeup.answers():
        return Check("workers", finding="unknown", advice="mend Redis first")
    if fault := health.worker_fault():
        return Check(
            "workers",
            finding=fault,
            advice="start the Procfile's worker line with this REDIS_URL; work waits meanwhile",
        )
    return Check("workers", finding="each kind has given a sign within a minute")


def _redis_fault(error: Exception) -> str:
    """The line with which a start would end; the words of `error` if it would not."""
    try:
        check_redis(current_settings().redis_url, patience=0)
    except BadSetting as fault:
        return str(fault).removeprefix("REDIS_URL: ")
    return f"does not answer: {error}"


def _redis() -> Check:
    try:
        version = str(wakeup.redis.info("server")["redis_version"])
    except (redis.RedisError, OSError) as error:
        return Check(
            "redis",
            finding=_redis_fault(error),
            advice="check REDIS_URL; nothing is lost meanwhile, postbacks leave a second later",
        )
    if fault := wakeup.fault():
        return Check(
            "redis",
            finding=f"{version} {fault}",
            advice="give it memory, or the address of the primary; nothing is lost meanwhile",
        )
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        return Check("redis", finding=version, advice="use Redis 6.2 or newer")
    return Check("redis", finding=f"{version} answers")


def _media_store() -> Check:
    from app.outbound.object_store import StoreUnreachable
    from app.services.campaigns.media import configured_store

    store = configured_store()
    if store is None:
        return Check("media store", finding="media are kept in the database")
    try:
        store.check()
    except StoreUnreachable as error:
        return Check(
            "media store",
            finding=str(error),
            advice="check MEDIA_STORE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; meanwhile"
            " uploads are refused and messages with new media wait",
        )
    return Check("media store", finding="takes, gives and removes an object")


def _plugins() -> Check:
    trackers: Any = current_app.extensions["trackers"]
    if trackers.broken:
        return Check(
            "plugins",
            finding="; ".join(str(plugin) for plugin in trackers.broken),
            advice="mend or uninstall the package; its postbacks wait until then",
        )
    finding = f"{len(trackers.names())} trackers load"
    if folder := current_settings().presets_dir:
        own = len(presets.presets()) - len(presets.built_in())
        finding += f", and {own} presets of {folder}"
    return Check("plugins", finding=finding)


def _observability() -> Check:
    settings = current_settings()
    collector, dsn = settings.otel_exporter_otlp_endpoint, settings.sentry_dsn
    parts = [f"traces go to {urlsplit(collector).netloc}"] if collector else []
    if dsn:
        parts.append(f"faults go to {urlsplit(dsn).hostname}")
    return Check("observability", finding="; ".join(parts) or "traces and Sentry are off")


def _webhook() -> Check:
    settings = current_settings()
    if not settings.public_url:
        return Check("webhook", finding="no PUBLIC_URL: bots are read by long polling")
    from app.outbound.transport import Transport  # libcurl, only when it is needed

    url = f"{settings.public_url}/healthz"
    transport = Transport(trusted=True)
    try:
        answer = next(iter(transport.exchange([Request("GET", url)])))
    finally:
        transport.close()
    if answer.response is not None and answer.response.status == 200:
        return Check("webhook", finding=f"{urlsplit(url).netloc} reaches us")
    status = answer.response.status if answer.response else answer.reason
    return Check(
        "webhook",
        finding=f"GET {url}: {status}",
        advice="PUBLIC_URL must lead to the web process, from the internet, over https",
    )
