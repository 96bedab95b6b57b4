"""Runs the migrations on the app's own engine, for Flask-Migrate."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import Connection, event

db = current_app.extensions["migrate"].db


def run() -> None:
    """Each migration in a transaction of its own, where the database can."""
    with db.engine.connect() as connection:
        # Of two that migrate at once on SQLite, the second reads what the first has done.
        event.listen(connection, "begin", _write_at_once)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            compare_type=True,
            transaction_per_migration=True,  # else one waits for writers that wait for another
        )
        with context.begin_transaction():
            context.run_migrations()


def _write_at_once(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


run()
