"""Readiness for a load balancer, and metrics for a graph."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import Engine, RowMapping, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from app.config import current_settings
from app.database.connections import WrongEncoding
from app.database.rows import loose_index_scan
from app.database.schema_version import UNKNOWN, pending
from app.extensions import db, wakeup
from app.models import (
    BotFaultKind,
    BotStatus,
    DestinationStatus,
    MessageState,
    PostbackState,
    UpdateState,
)
from app.queues import FAULTS, PROCESSES
from app.services.campaigns.media import configured_store
from app.services.sealed import CHANGED_KEY, key_fault

PATIENCE: Final = 2.0  # seconds in which a part must answer, or it counts as down
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
  (SELECT coalesce(sum(due), 0) FROM (SELECT (SELECT count(*) FROM (SELECT 1 FROM postback
      WHERE destination_id = d.id AND state = {PostbackState.WAITING:d} AND due <= :now
      LIMIT :ceiling) t) AS due
    FROM destination d) t) AS postbacks_due,
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
    AND blocked_until > :now) AS blocked
"""  # noqa: S608 - our own numbers


@dataclass(frozen=True, slots=True)
class Readiness:
    """What is wrong with each part, in a few words; empty if it works."""

    database_fault: str
    redis_fault: str
    worker_fault: str = ""

    @property
    def database(self) -> bool:
        """Whether the database answers and takes writes."""
        return not self.database_fault

    @property
    def redis(self) -> bool:
        """Whether Redis answers and takes writes."""
        return not self.redis_fault

    @property
    def ready(self) -> bool:
        """Whether requests can be served, whoever does the work behind them."""
        return self.database and self.redis


class _Probe:
    """Runs a check in a thread of its own, never twice at once.

    A check that hangs keeps its one thread; callers meanwhile wait for the same
    result and give up after PATIENCE, so nothing piles up.
    """

    def __init__(self, name: str) -> None:
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"probe-{name}")
        self._asked: Future[str] | None = None

    def fault(self, question: Callable[[], str], seconds: float) -> str:
        """Return the fault that `question` finds, or "" for none; being late is one."""
        if self._asked is None or self._asked.done():
            self._asked = self._threads.submit(question)
        try:
            return self._asked.result(seconds)
        except TooSlow:
            return SILENT


SILENT: Final = "does not answer"
NO_CONNECTION: Final = "has no connection left: see DATABASE_POOL, and the limit of its plan"
READ_ONLY: Final = "takes no writes: it is a standby, or was made read-only"

#: PostgreSQL's words, and pgbouncer's.
_NONE_LEFT: Final = re.compile(
    "too many (?:clients|connections)|remaining connection slots|no more connections allowed"
)

#: With these requests are served; the doctor tells of them.
_TOLERATED: Final = ("", UNKNOWN, CHANGED_KEY)

_database_probe = _Probe("database")
_redis_probe = _Probe("redis")
_worker_probe = _Probe("worker")
_store_probe = _Probe("media-store")


def readiness(seconds: float = PATIENCE) -> Readiness:
    """Check the database, Redis and the workers, each for at most `seconds`."""
    engine = db.engine
    redis_fault = _redis_probe.fault(wakeup.fault, seconds)
    database_fault = _database_probe.fault(lambda: _database_fault(engine), seconds)
    if database_fault == SILENT and _is_used_up(engine):
        database_fault = NO_CONNECTION
    return Readiness(
        database_fault,
        redis_fault,
        worker_fault="" if redis_fault else _worker_probe.fault(worker_fault, seconds),
    )


def worker_fault() -> str:
    """Return which kinds of worker processes have given no sign for a minute, "" for none."""
    try:
        silent = wakeup.silent_workers()
    except FAULTS:
        return ""  # Redis is the fault
    return f"no sign for a minute of: {', '.join(silent)}" if silent else ""


def _is_used_up(engine: Engine) -> bool:
    pool = engine.pool
    return isinstance(pool, QueuePool) and pool.checkedout() >= current_settings().database_pool


def _database_fault(engine: Engine) -> str:
    # A raw connection: on SQLite a transaction would wait for the writer's turn.
    try:
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()

            def ask(statement: str) -> list[Any]:
                cursor.execute(statement)
                return [row[0] for row in cursor.fetchall()]

            is_sqlite = engine.dialect.name == "sqlite"
            if not is_sqlite and ask("SHOW transaction_read_only") == ["on"]:
                connection.invalidate()  # a new primary may stand behind the same address
                return READ_ONLY
            lacking = pending(ask, is_sqlite=is_sqlite)
            fault = lacking if lacking not in _TOLERATED else key_fault(ask)
        finally:
            connection.close()
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error, OSError) as error:
        return _in_words(error)
    return "" if fault in _TOLERATED else fault


def _in_words(error: Exception) -> str:
    cause = getattr(error, "orig", error)
    if isinstance(cause, WrongEncoding):
        return str(cause)
    return NO_CONNECTION if _NONE_LEFT.search(str(cause)) else SILENT


def metrics() -> Iterator[Metric]:
    """Yield the metrics of the whole installation, computed when asked.

    They hold no names of customers. Without a database the others are still
    there.
    """
    state = readiness()
    yield _gauge("database_up", "Whether the database answers", float(state.database))
    yield _gauge("redis_up", "Whether Redis answers", float(state.redis))
    store = configured_store()
    if store:
        fault = _store_probe.fault(lambda: "" if store.answers() else SILENT, PATIENCE)
        up = float(not fault)
        yield _gauge("media_store_up", "Whether the object store of media answers", up)
    yield CounterMetricFamily(
        "gatepost_wakeup_faults",
        "Reminders and waits that Redis did not take, in the process that answers",
        value=wakeup.faults,
    )
    if state.redis:
        yield from _workers()
    if not state.database:
        return
    try:
        yield from _backlog(time.time())
        yield from _states()
    except SQLAlchemyError:
        db.session.rollback()


def _workers() -> Iterator[Metric]:
    try:
        silent = wakeup.silent_workers()
    except FAULTS:
        return
    family = GaugeMetricFamily(
        "gatepost_worker_alive",
        "Whether any worker process of a kind gave a sign within a minute",
        labels=["process"],
    )
    for name in PROCESSES:
        family.add_metric([name], float(name not in silent))
    yield family


def _backlog(now: float) -> Iterator[Metric]:
    numbers = db.session.execute(text(_BACKLOG), {"now": now, "ceiling": CEILING}).mappings().one()
    db.session.rollback()
    yield _by_state("updates", numbers, "waiting", "quarantined")
    yield _by_state("postbacks", numbers, "waiting", "due", "sending")
    yield _by_state("messages", numbers, "waiting", "sending")
    for noun in ("updates", "postbacks", "messages"):
        oldest = numbers[f"{noun}_oldest"]
        yield _gauge(
            f"{noun}_oldest_seconds",
            f"How long the oldest of the {noun} that could go has waited",
            max(0.0, now - oldest) if oldest is not None else 0.0,
        )
    yield _gauge("destinations_blocked", "Destinations resting after failures", numbers["blocked"])


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
    family = GaugeMetricFamily(f"gatepost_{name}", meaning, labels=[column])
    grouped = f"SELECT {column}, count(*) FROM {table} GROUP BY {column}"  # noqa: S608 - our names
    counts = {value: int(count) for value, count in db.session.execute(text(grouped))}
    db.session.rollback()
    for value, label in labels.items():
        family.add_metric([label], counts.get(value, 0))
    return family


def _by_state(noun: str, numbers: RowMapping, *states: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        f"gatepost_{noun}",
        f"{noun.capitalize()} on their way; counts stop at {CEILING}",
        labels=["state"],
    )
    for state in states:
        family.add_metric([state], float(numbers[f"{noun}_{state}"]))
    return family


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gatepost_{name}", meaning, value=value)
