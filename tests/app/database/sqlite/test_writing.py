"""Who waits to write to SQLite begins when nobody else writes, or is told so in time."""

import sqlite3

import pytest

from app.database.sqlite.writing import BUSY_SECONDS, begin_to_write


def test_who_waits_to_write_begins_when_the_other_has_ended(tmp_path):
    first, second = (sqlite3.connect(tmp_path / "file.db", isolation_level=None) for _ in range(2))
    begin_to_write(first, 0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        begin_to_write(second, 0)
    first.execute("COMMIT")
    begin_to_write(second, 0)
    assert second.in_transaction
    (patience,) = second.execute("PRAGMA busy_timeout").fetchone()
    assert patience == 1000 * BUSY_SECONDS  # others that wait rest in SQLite
