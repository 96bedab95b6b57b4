"""How connections to the two databases are opened, and asked whether they still live.

SQLite: WAL, foreign keys, and one writer, which a transaction becomes where it would first lock
a row on PostgreSQL: with its first write, `with_for_update`, savepoint or advisory lock. Until
then each statement reads what is committed, and no snapshot is kept: a transaction that begins
to read and turns writer half-way fails at once when another wrote meanwhile. So on both
databases what a write depends on is read again, or locked, behind that point.
"""

import re
import select
import sqlite3
import time
from functools import lru_cache
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, Select, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from app.database.sqlite.file import make_folder
from app.database.sqlite.writing import BUSY_SECONDS, begin_to_write

#: Connections that a process keeps open while it needs none.
KEPT = 10
#: Seconds after which the server ends a transaction that does nothing, unless its operator has set
#: another time: its owner is frozen or cut off, and others wait for what it has locked. A server
#: whose client's host is gone learns of it after two hours.
IDLE_SECONDS: Final = 60
_LIMIT_IDLE: Final = f"""
    SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', false)
    WHERE current_setting('idle_in_transaction_session_timeout') = '0'
"""
#: SQLSTATE of a server that takes no writes: a primary that became a standby.
READ_ONLY_STATE = "25006"
#: Seconds without use after which a firewall on the way may have forgotten a connection.
RESTED_SECONDS = 30
#: Execution option of a transaction that only reads. The tests refuse that it writes.
ONLY_READS = "only_reads"
#: SQLite knows no locks of rows. This says in a statement that it would take some.
_LOCKS: Final = "/* FOR UPDATE */"
_READS: Final = re.compile(r"\s*(?:SELECT|WITH|PRAGMA|EXPLAIN|BEGIN)\b", re.IGNORECASE)
_WRITES: Final = re.compile(r"\b(?:INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
#: Seconds for which `let_others_write` rests at most.
LONGEST_REST = 0.1


def prepare_engine(url: str, most: int = 20) -> dict[str, Any]:
    """Engine options for `url`, with `most` connections at once; makes the folder of a SQLite file.

    Errors do not show the parameters of their statement: they are people's, and may be keys.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            make_folder(parsed.database)
        return {
            "hide_parameters": True,
            "connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False},
        }
    return {
        "hide_parameters": True,
        "pool_size": min(most, KEPT),
        "max_overflow": max(0, most - KEPT),
        "pool_timeout": 10,
        "pool_use_lifo": True,  # the server process that has just answered has all at hand
        "pool_recycle": 300,
        "connect_args": {
            "connect_timeout": 5,
            "keepalives_idle": 30,
            "tcp_user_timeout": 10_000,
            "client_encoding": "utf8",  # whatever PGCLIENTENCODING or `options` say
        },
    }


@event.listens_for(Engine, "connect")
def _on_connect(connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["opened"] = time.monotonic()
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
    elif isinstance(connection, psycopg.Connection):
        refuse_other_encodings(connection)
        if _is_pooled(connection):  # nor has it a session of its own, in which to set anything
            connection.prepare_threshold = None
        else:
            connection.execute(_LIMIT_IDLE)
            connection.commit()


class WrongEncoding(psycopg.NotSupportedError):
    """The database cannot hold what people write; the text says so to the operator."""


def refuse_other_encodings(connection: psycopg.Connection[Any]) -> None:
    """Raise WrongEncoding. LATIN1 refuses most names, SQL_ASCII mangles them; both look well."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise WrongEncoding(f"DATABASE_URL: its encoding is {encoding}, and must be UTF8")


def _is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Whether a pooler such as pgbouncer stands between us and PostgreSQL.

    A pooler greets its clients with a process number of its own. Behind one
    that changes servers between transactions, a statement that was prepared on
    one server is unknown on the next.
    """
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    connection.rollback()
    return row is not None and row[0] != connection.pgconn.backend_pid


@event.listens_for(Pool, "checkin")
def _on_checkin(connection: Any, record: ConnectionPoolEntry) -> None:
    """Keep no connection to a server that takes no writes.

    A process that only looks for work meets no error there: it would look on an old primary
    for minutes while the work comes to the new one.
    """
    record.info["rests_since"] = time.monotonic()
    if isinstance(connection, psycopg.Connection) and is_read_only(connection):
        _demotion.seen = time.monotonic()
        record.invalidate()


class _Demotion:
    """When this process last met a server that takes no writes, in monotonic seconds.

    What was opened before is not used again: it may lead to the same server, and a
    connection at rest hears nothing.
    """

    seen = 0.0


_demotion: Final = _Demotion()


def is_read_only(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has said, with its last answer, that it takes no writes.

    PostgreSQL reports changes of these settings by itself, from version 14 on.
    """
    status = connection.info.parameter_status
    return "on" in (status("default_transaction_read_only"), status("in_hot_standby"))


@event.listens_for(Pool, "checkout")
def _on_checkout(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Ask a connection whether it lives, if there is reason to doubt it.

    A server that ends says so, and its words lie in the socket unread: a look
    there costs a microsecond, a question (SQLAlchemy's `pool_pre_ping`) a round
    trip for each request. Raises DisconnectionError; the pool takes another.
    """
    if isinstance(connection, sqlite3.Connection):
        return
    rests_since = record.info.get("rests_since")
    if rests_since is None:  # it was opened just now
        return
    if record.info["opened"] <= _demotion.seen:
        raise DisconnectionError("the server took no writes")
    try:
        ask_if_doubtful(connection, time.monotonic() - rests_since)
    except psycopg.Error as error:
        raise DisconnectionError(f"the connection is dead: {error}") from error


def ask_if_doubtful(connection: psycopg.Connection[Any], rested: float) -> None:
    """Ask a connection that nobody used for `rested` seconds, if there is reason to doubt it.

    Raises psycopg.Error if it is dead.
    """
    if rested < RESTED_SECONDS and not _has_unread(connection.fileno()):
        return
    connection.execute("SELECT 1")
    connection.rollback()


def _has_unread(number: int) -> bool:
    look = select.poll()
    look.register(number, select.POLLIN)
    return bool(look.poll(0))


@compiles(Select, "sqlite")
def _write_select(statement: Select[Any], compiler: Any, **options: Any) -> str:
    """Mark what is selected in order to change it: SQLAlchemy leaves the lock out on SQLite."""
    sql: str = compiler.visit_select(statement, **options)
    locks = statement._for_update_arg is not None  # noqa: SLF001 - nothing public tells
    return f"{sql} {_LOCKS}" if locks else sql


@event.listens_for(Engine, "before_cursor_execute")
def _on_execute(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if connection.dialect.name == "sqlite" and not _only_reads(statement):
        begin_writing(connection)


@lru_cache(maxsize=500)
def _only_reads(statement: str) -> bool:
    return _READS.match(statement) is not None and _WRITES.search(statement) is None


def begin_writing(connection: Connection) -> None:
    """Become SQLite's one writer until the transaction ends, if that is not done yet.

    Waits for its turn, for BUSY_SECONDS at most. PostgreSQL locks what is written.
    """
    if connection.dialect.name != "sqlite":
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - the only driver of this dialect
    if driver.in_transaction:
        return
    if not connection.in_transaction():  # or its commit and rollback would do nothing
        connection.begin()
    try:
        begin_to_write(driver)
    except sqlite3.Error as error:
        raise as_sqlalchemy(connection, error) from error


def as_sqlalchemy(connection: Connection, error: psycopg.Error | sqlite3.Error) -> Exception:
    """Return a fault of the driver as SQLAlchemy would raise it."""
    kind = psycopg.Error if isinstance(error, psycopg.Error) else sqlite3.Error
    # SQLAlchemy's own wrapper is out of reach here: no statement of its is executing.
    return DBAPIError.instance(
        None, None, error, kind, hide_parameters=True, dialect=connection.dialect
    )


@event.listens_for(Engine, "handle_error")
def _on_error(context: ExceptionContext) -> None:
    """Throw the connections away when the server has become read-only.

    They stay open when a primary is demoted, and would be kept for minutes
    while a new primary waits behind the same address.
    """
    if _is_read_only_fault(context.original_exception):
        context.is_disconnect = True


def discard_if_read_only(connection: Connection, error: BaseException) -> None:
    """As `_on_error`, for an error that came from the driver and not through SQLAlchemy."""
    if _is_read_only_fault(error):
        connection.invalidate(error)


def _is_read_only_fault(error: BaseException) -> bool:
    if getattr(error, "sqlstate", None) != READ_ONLY_STATE:
        return False
    _demotion.seen = time.monotonic()
    return True


def let_others_write(engine: Engine, seconds: float) -> None:
    """Rest as long as a transaction took: SQLite has one writer, and the others ask by turns.

    Call it behind the commit, between the parts of what is long or comes again and again.
    """
    if engine.dialect.name == "sqlite":
        time.sleep(min(seconds, LONGEST_REST))
