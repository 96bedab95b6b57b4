"""What PostgreSQL is told to believe of columns by which it must not search."""

import pytest
from sqlalchemy import text

from app.extensions import db
from app.models.column_statistics import COLUMNS, DISTINCT_VALUES

OPTIONS = text("""
    SELECT attrelid::regclass::text, attname, attoptions FROM pg_attribute
    WHERE attoptions IS NOT NULL AND attrelid::regclass::text NOT LIKE 'pg_%'
""")


def test_the_columns_and_no_others_are_set_up(live_app):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has no such statistics")
    with db.engine.connect() as connection:
        found = {(table, column): options for table, column, options in connection.execute(OPTIONS)}
    wanted = {(column.table.name, column.name) for column in COLUMNS}
    assert found == {column: [f"n_distinct={DISTINCT_VALUES}"] for column in wanted}
