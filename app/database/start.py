"""What a start asks of the database: that it can be used as its address says, and has our tables.

What passes by itself (a server that is starting or full, a standby, a database that its
platform has set read-only) is left to the processes, which wait for it. What an operator has to
mend ends the start with one line.
"""

import re
import sqlite3
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
from sqlalchemy.engine import make_url

from app.config import BadSetting
from app.database.connections import WrongEncoding, refuse_other_encodings
from app.database.schema_version import UNKNOWN, Ask, pending
from app.database.sqlite.file import check_writable, exists

#: How long a start waits for a database that refuses connections.
START_SECONDS = 5.0
_START_PAUSE: Final = 0.5
_MAX_LINE: Final = 300
#: SQLSTATE 57P03, 53300 and 57P01 in the server's words: libpq gives no code for a connection.
_NOT_READY: Final = re.compile(
    "starting up|shutting down|in recovery mode|not yet accepting connections"
    "|too many (?:clients|connections)|remaining connection slots"
    "|terminating connection|not currently accepting connections"
    # pgbouncer's words, from its src/client.c, src/objects.c and src/janitor.c
    "|no more connections allowed|pgbouncer cannot connect to server"
    "|server login has been failing, (?:try again later|cached error: connect failed)"
    r"|client_login_timeout \(server down\)|query_wait_timeout"
)
#: Nobody listens there, or nobody answers in time: it may be on its way.
_IS_AWAY: Final = re.compile(
    "[Cc]onnection refused|timeout expired|timed out|[Nn]o route to host|[Nn]etwork is unreachable"
    "|server closed the connection|No such file or directory\\s+Is the server running"
    "|Temporary failure in name resolution"
)
#: Time limits of a session, and the least of them that our statements need.
_TIME_LIMITS: Final = (
    "statement_timeout",
    "lock_timeout",
    "transaction_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
)
_LEAST_MILLISECONDS: Final = 5_000
#: Settings that decide what our statements mean, and what they must be.
_MEANINGS: Final = {
    "default_transaction_isolation": "read committed",
    "session_replication_role": "origin",
    "standard_conforming_strings": "on",
}
#: Where a setting comes from that is meant for us: the address, the role or the database.
_OF_A_SESSION: Final = ("client", "user", "database", "database user")
_SETTINGS: Final = "SELECT name, setting, source FROM pg_settings WHERE name = ANY(%s)"
_RELEASE: Final = "run the release command: flask --app wsgi db upgrade"


def check_at_start(
    url: str, patience: float = START_SECONDS, *, needs_tables: bool = False
) -> None:
    """Raise BadSetting, in one line, if the database at `url` is none that we can use.

    It is given `patience` seconds to answer, since it may be starting too. One that
    answers that it is busy or starting is there, and is waited for by the processes.
    With `needs_tables` it must also be at the newest migration.
    """
    if not url.startswith("postgresql"):
        _check_file(make_url(url).database or "", needs_tables=needs_tables)
        return
    address = make_url(url)
    _, options = address.get_dialect()().create_connect_args(address)
    options = {**options, "client_encoding": "utf8"}
    deadline = time.monotonic() + patience
    while fault := _start_fault(
        {**options, "connect_timeout": _seconds_left(deadline)}, needs_tables=needs_tables
    ):
        if not fault.may_pass or time.monotonic() + _START_PAUSE > deadline:
            raise BadSetting(f"DATABASE_URL: {fault.line}")
        time.sleep(_START_PAUSE)


def _seconds_left(deadline: float) -> int:
    """Return how long a connection may take to be made; libpq knows no less than 2 s."""
    return max(2, min(5, int(deadline - time.monotonic())))


class _StartFault(NamedTuple):
    line: str
    may_pass: bool


def _start_fault(options: dict[str, Any], *, needs_tables: bool) -> _StartFault | None:
    """Why the database cannot be used; None if it can, or says that it is not ready yet."""
    try:
        with psycopg.connect(**options, autocommit=True) as connection:
            refuse_other_encodings(connection)
            line = _session_fault(connection) or (_tables_fault(connection) if needs_tables else "")
    except WrongEncoding as error:
        return _StartFault(str(error).removeprefix("DATABASE_URL: "), may_pass=False)
    except psycopg.errors.QueryCanceled:
        return _StartFault(_too_short("statement_timeout"), may_pass=False)
    except psycopg.Error as error:
        line = " ".join(str(error).split())[:_MAX_LINE]
        if _NOT_READY.search(line):
            return None
        return _StartFault(line, may_pass=_IS_AWAY.search(line) is not None)
    return _StartFault(line, may_pass=False) if line else None


def _session_fault(connection: psycopg.Connection[Any]) -> str:
    """What is wrong with the settings of a session, such as `options` in the address brings."""
    names = [*_TIME_LIMITS, *_MEANINGS, "default_transaction_read_only", "synchronous_commit"]
    for name, setting, source in connection.execute(_SETTINGS, [names]):
        if name in _TIME_LIMITS and 0 < int(setting) < _LEAST_MILLISECONDS:
            return _too_short(name)
        if name in _MEANINGS and setting != _MEANINGS[name]:
            return f"{name} is {setting}, and must be {_MEANINGS[name]}"
        # Set from elsewhere it may be a platform's answer to a full disk, which passes.
        if name == "default_transaction_read_only" and setting == "on" and source == "client":
            return "default_transaction_read_only is on, so that nothing can be written"
        # For a whole server it is its operator's own choice, who may have a reason.
        if name == "synchronous_commit" and setting == "off" and source in _OF_A_SESSION:
            return "synchronous_commit is off, so that a crash loses what was acknowledged"
    row = connection.execute("SELECT current_schema(), current_setting('search_path')").fetchone()
    if row and row[0] is None:
        return f"search_path is {row[1]}, and there is no such schema"
    return ""


def _too_short(name: str) -> str:
    return f"{name} is shorter than {_LEAST_MILLISECONDS // 1000} s, which our statements may take"


def _tables_fault(connection: psycopg.Connection[Any]) -> str:
    def ask(statement: str) -> list[Any]:
        return [row[0] for row in connection.execute(statement.encode())]

    return _version_fault(ask, is_sqlite=False)


def _check_file(path: str, *, needs_tables: bool) -> None:
    """Raise BadSetting unless the SQLite file at `path` can be written, and has our tables."""
    if needs_tables and not exists(path):  # nor is one left behind
        raise BadSetting(f"DATABASE_URL: {path} has no tables of Gatepost; {_RELEASE}")
    check_writable(path)
    if not needs_tables:
        return
    connection = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)

    def ask(statement: str) -> list[Any]:
        return [row[0] for row in connection.execute(statement)]

    try:
        fault = _version_fault(ask, is_sqlite=True)
    except sqlite3.DatabaseError as error:
        fault = f"{path}: {error}"
    finally:
        connection.close()
    if fault:
        raise BadSetting(f"DATABASE_URL: {fault}")


def _version_fault(ask: Ask, *, is_sqlite: bool) -> str:
    """Why the tables cannot be worked with. Those that no migration has made may be right."""
    lacking = pending(ask, is_sqlite=is_sqlite)
    return f"the database {lacking}; {_RELEASE}" if lacking not in ("", UNKNOWN) else ""
