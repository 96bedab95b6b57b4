"""Metrics for a graph, in Prometheus's terms. They hold no names of customers."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import RowMapping, text
from sqlalchemy.exc import SQLAlchemyError

from app.database.rows import is_postgresql, loose_index_scan
from app.extensions import db, wakeup
from app.models import (
    WEBHOOK_ERROR_FRESH,
    BotFaultKind,
    BotStatus,
    DestinationStatus,
    MessageState,
    PostbackState,
    UpdateState,
)
from app.queues import FAULTS, PROCESSES
from app.services import growth, health, lease_reclaims
from app.services.campaigns.media import configured_store

CEILING: Final = 100_001  # counts stop here: a graph needs no more

# States stand in the text and not as parameters, or no partial index is used.
# What is due is asked destination by destination, along the index: a dead
# tracker's million rows that wait for a far retry are then never visited.
_UPDATE_WAITS: Final = f"state = {UpdateState.WAITING:d}"
_BACKLOG: Final = f"""
SELECT
  (SELECT count(*) FROM (SELECT 1 FROM telegram_update
    WHERE state = {UpdateState.WAITING:d} LIMIT :ceiling) t) AS updates_waiting,
  (SELECT count(*) FROM (SELECT 1 FROM telegram_update
    WHERE state = {UpdateState.QUARANTINED:d} LIMIT :ceiling) t) AS updates_quarantined,
  (WITH RECURSIVE {loose_index_scan("telegram_update", "bot_id", _UPDATE_WAITS)}
    SELECT min(oldest) FROM (SELECT (SELECT received FROM telegram_update
      WHERE bot_id = next.id AND {_UPDATE_WAITS} ORDER BY bot_id, id LIMIT 1) AS oldest
    FROM next) t) AS updates_oldest,
  (SELECT count(*) FROM (SELECT 1 FROM postback
    WHERE state = {PostbackState.WAITING:d} LIMIT :ceiling) t) AS postbacks_waiting,
  (SELECT count(*) FROM (SELECT 1 FROM {{due}} LIMIT :ceiling) t) AS postbacks_due,
  (SELECT count(*) FROM (SELECT 1 FROM postback
    WHERE state = {PostbackState.SENDING:d} LIMIT :ceiling) t) AS postbacks_sending,
  (SELECT min(due) FROM (SELECT (SELECT min(due) FROM postback
      WHERE destination_id = d.id AND state = {PostbackState.WAITING:d}) AS due
    FROM destination d) t) AS postbacks_oldest,
  (SELECT count(*) FROM (SELECT 1 FROM message
    WHERE state = {MessageState.WAITING:d} LIMIT :ceiling) t) AS messages_waiting,
  (SELECT count(*) FROM (SELECT 1 FROM message
    WHERE state = {MessageState.SENDING:d} LIMIT :ceiling) t) AS messages_sending,
  (SELECT min(due) FROM (SELECT (SELECT min(due) FROM message
      WHERE bot_id = b.id AND state = {MessageState.WAITING:d}) AS due
    FROM bot b) t) AS messages_oldest,
  (SELECT count(*) FROM destination
    WHERE status = {DestinationStatus.ACTIVE:d} AND failures > 0
    AND blocked_until > :now) AS blocked,
  (SELECT coalesce(sum(webhook_pending), 0) FROM bot
    WHERE status <> {BotStatus.DELETED:d}) AS telegram_waiting,
  (SELECT count(*) FROM bot WHERE status <> {BotStatus.DELETED:d}
    AND webhook_error_time > :now - {WEBHOOK_ERROR_FRESH:d}) AS webhooks_failing
"""  # noqa: S608 - our own numbers

_DUE: Final = (
    f"postback WHERE destination_id = d.id AND state = {PostbackState.WAITING:d} AND due <= :now"
)
#: What is due, one row each, destination by destination: neither database chooses another way.
_DUE_ON_POSTGRESQL: Final = (
    f"destination d CROSS JOIN LATERAL (SELECT 1 FROM {_DUE} LIMIT :ceiling) w"  # noqa: S608
)
_DUE_ON_SQLITE: Final = f"destination d CROSS JOIN {_DUE}"

_store_probe = health.Probe("media-store")


def metrics() -> Iterator[Metric]:
    """Yield the metrics of the whole installation, computed when asked.

    They hold no names of customers. Without a database the others are still
    there.
    """
    state = health.readiness()
    yield _gauge("database_up", "Whether the database answers", float(state.database))
    yield _gauge("redis_up", "Whether Redis answers", float(state.redis))
    store = configured_store()
    if store:
        fault = _store_probe.fault(
            lambda: "" if store.answers() else health.SILENT, health.PATIENCE
        )
        up = float(not fault)
        yield _gauge("media_store_up", "Whether the object store of media answers", up)
    yield CounterMetricFamily(
        "gatepost_wakeup_faults",
        "Reminders and waits that Redis did not take, in the process that answers",
        value=wakeup.faults,
    )
    if state.redis:
        yield from _workers()
        yield from _reclaims()
    if not state.database:
        return
    try:
        yield from _backlog(time.time())
        yield from _states()
        yield from _growth()
    except SQLAlchemyError:
        db.session.rollback()


def _workers() -> Iterator[Metric]:
    try:
        silent = wakeup.silent_workers()
    except FAULTS:
        return
    meaning = "Whether any worker process of a kind gave a sign within a minute"
    signs = {name: float(name not in silent) for name in PROCESSES}
    yield _labelled("worker_alive", meaning, "process", signs)


def _reclaims() -> Iterator[Metric]:
    try:
        totals = lease_reclaims.totals()
    except FAULTS:
        return
    family = CounterMetricFamily(
        "gatepost_lease_reclaims",
        "Rows whose worker died or stood still with them, so that another takes them over",
        labels=["kind"],
    )
    for kind, number in totals.items():
        family.add_metric([kind], number)
    yield family


def _growth() -> Iterator[Metric]:
    rows = {size.name: size.rows for size in growth.sizes()}
    yield _labelled("table_rows", "About how many rows", "table", rows)
    yield _gauge("database_bytes", "How much room the database takes", growth.database_bytes())
    db.session.rollback()


def _backlog(now: float) -> Iterator[Metric]:
    numbers = _numbers(now)
    yield _by_state("updates", numbers, "waiting", "quarantined")
    yield _by_state("postbacks", numbers, "waiting", "due", "sending")
    yield _by_state("messages", numbers, "waiting", "sending")
    for noun, seconds in _waited(numbers, now).items():
        meaning = f"How long the oldest of the {noun} that could go has waited"
        yield _gauge(f"{noun}_oldest_seconds", meaning, seconds)
    yield _gauge("destinations_blocked", "Destinations resting after failures", numbers["blocked"])
    meaning = "Updates that waited at Telegram when it was asked last, of all bots"
    yield _gauge("telegram_updates_waiting", meaning, numbers["telegram_waiting"])
    meaning = "Bots of which Telegram could not deliver an update within the hour"
    yield _gauge("webhooks_failing", meaning, numbers["webhooks_failing"])


def oldest_seconds(now: float) -> dict[str, float]:
    """Return how long the oldest update, postback and message that is due has waited."""
    return _waited(_numbers(now), now)


def _numbers(now: float) -> RowMapping:
    on_postgresql = is_postgresql(db.session.connection())
    backlog = _BACKLOG.format(due=_DUE_ON_POSTGRESQL if on_postgresql else _DUE_ON_SQLITE)
    numbers = db.session.execute(text(backlog), {"now": now, "ceiling": CEILING}).mappings().one()
    db.session.rollback()
    return numbers


def _waited(numbers: RowMapping, now: float) -> dict[str, float]:
    oldest = {noun: numbers[f"{noun}_oldest"] for noun in ("updates", "postbacks", "messages")}
    return {
        noun: max(0.0, now - since) if since is not None else 0.0 for noun, since in oldest.items()
    }


def _states() -> Iterator[Metric]:
    bots = {status.value: status.name.lower() for status in BotStatus}
    yield _counted("bots", "Bots by status", "bot", "status", bots)
    destinations = {status.value: status.name.lower() for status in DestinationStatus}
    yield _counted("destinations", "Destinations by status", "destination", "status", destinations)
    kinds = {kind.value: kind.value for kind in BotFaultKind}
    yield _counted("bot_faults", "What is to be mended of bots", "bot_fault", "kind", kinds)


def _counted(
    name: str, meaning: str, table: str, column: str, labels: Mapping[Any, str]
) -> GaugeMetricFamily:
    grouped = f"SELECT {column}, count(*) FROM {table} GROUP BY {column}"  # noqa: S608 - our names
    counts = {value: int(count) for value, count in db.session.execute(text(grouped))}
    db.session.rollback()
    numbers = {label: counts.get(value, 0) for value, label in labels.items()}
    return _labelled(name, meaning, column, numbers)


def _by_state(noun: str, numbers: RowMapping, *states: str) -> GaugeMetricFamily:
    meaning = f"{noun.capitalize()} on their way; counts stop at {CEILING}"
    by_state = {state: float(numbers[f"{noun}_{state}"]) for state in states}
    return _labelled(noun, meaning, "state", by_state)


def _labelled(
    name: str, meaning: str, label: str, numbers: Mapping[str, float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"gatepost_{name}", meaning, labels=[label])
    for value, number in numbers.items():
        family.add_metric([value], number)
    return family


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gatepost_{name}", meaning, value=value)
