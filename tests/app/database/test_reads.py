"""Reads in no transaction."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.database.reads import read_first
from app.extensions import db


def test_a_row_is_read_beside_a_writer_and_leaves_no_transaction_open(live_app):
    statement = text("SELECT :number + 1 AS number")
    with db.engine.begin() as writer:
        writer.execute(text("DELETE FROM source_day"))
        row = read_first(db.engine, statement, {"number": 1})
    assert row is not None
    assert row.number == 2
    assert read_first(db.engine, text("SELECT id FROM source WHERE id = :id"), {"id": 0}) is None


def test_a_connection_that_was_cut_is_replaced(live_app):
    statement = text("SELECT 1 AS number, '50 %' AS share")
    assert read_first(db.engine, statement, {}).share == "50 %"
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect() as other:
            other.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
    assert read_first(db.engine, statement, {}).number == 1


def test_a_fault_is_told_as_sqlalchemy_tells_it_and_keeps_no_connection(live_app):
    for _ in range(50):  # more than the pool has
        with pytest.raises(SQLAlchemyError):
            read_first(db.engine, text("SELECT 1 FROM nowhere"), {})
    assert read_first(db.engine, text("SELECT 1 AS number"), {}).number == 1


def test_who_reads_next_finds_the_connection_as_it_was(live_app):
    read_first(db.engine, text("SELECT 1 AS number"), {})
    with db.engine.connect() as connection:
        connection.execute(text("DELETE FROM source_day"))
        assert connection.in_transaction()
        driver = connection.connection.driver_connection
        assert not getattr(driver, "autocommit", False)
