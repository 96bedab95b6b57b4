"""Beginning to write to SQLite, which has one writer at a time: who waits looks for its turn.

SQLite's own waiting soon rests for a tenth of a second at a time, so that whoever writes often
keeps the others away.
"""

import sqlite3
import time
from typing import Final

BUSY_SECONDS: Final = 30
FIRST_REST: Final = 0.0003  # seconds between two looks; it doubles up to the longest
LONGEST_REST: Final = 0.002


def begin_to_write(connection: sqlite3.Connection, seconds: float = BUSY_SECONDS) -> None:
    """Begin a transaction that may write, as soon as nobody else writes.

    Raises OperationalError after so many seconds.
    """
    end, rest = time.monotonic() + seconds, FIRST_REST
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while not _has_begun(connection, end):
            time.sleep(rest)
            rest = min(2 * rest, LONGEST_REST)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")


def _has_begun(connection: sqlite3.Connection, end: float) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname.startswith("SQLITE_BUSY") and time.monotonic() < end:
            return False
        raise
    return True
