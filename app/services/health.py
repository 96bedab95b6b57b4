"""Readiness for a load balancer: what is wrong with each part, found in bounded time."""

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from app.config import current_settings
from app.database.connections import WrongEncoding
from app.database.schema_version import UNKNOWN, pending
from app.extensions import db, wakeup
from app.queues import FAULTS
from app.services.sealed import CHANGED_KEY, key_fault

PATIENCE: Final = 2.0  # seconds in which a part must answer, or it counts as down


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


class Probe:
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

_database_probe = Probe("database")
_redis_probe = Probe("redis")
_worker_probe = Probe("worker")


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


def no_connection_left(error: Exception) -> bool:
    """Whether the database, or the pooler before it, said that its connections are used up."""
    return _NONE_LEFT.search(str(getattr(error, "orig", error))) is not None


def _in_words(error: Exception) -> str:
    cause = getattr(error, "orig", error)
    if isinstance(cause, WrongEncoding):
        return str(cause)
    return NO_CONNECTION if no_connection_left(error) else SILENT
