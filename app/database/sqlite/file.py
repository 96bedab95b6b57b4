"""Whether the file of a SQLite database can be written, asked before anything else opens it.

SQLite itself says "unable to open database file" for a folder, a missing right and a disk
that takes no files alike, at the first statement.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from app.config import BadSetting

#: Another process writes, or the disk is full: this passes by itself.
_PASSES: Final = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL")
_CANNOT_WRITE: Final = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")


def make_folder(path: str) -> None:
    """Make the folder of the file at `path`. Raises BadSetting, in one line, if it cannot be."""
    folder = Path(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(
            f"DATABASE_URL: the folder {folder} cannot be made: {error.strerror}"
        ) from None


def exists(path: str) -> bool:
    """Whether there is a file at `path`; nothing is under a name that is too long."""
    with contextlib.suppress(OSError):
        return Path(path).exists()
    return False


def check_writable(path: str) -> None:
    """Raise BadSetting, in one line, unless the file at `path` can be written, or made.

    It is opened as every connection opens it, and a transaction is begun and given up.
    """
    if exists(path) and Path(path).is_dir():
        raise BadSetting(f"DATABASE_URL: {path} is a folder, and must be a file")
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        finally:
            connection.close()
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(_PASSES):
            return
        problem = f"{path} cannot be written" if name.startswith(_CANNOT_WRITE) else path
        raise BadSetting(f"DATABASE_URL: {problem}: {error}") from None
