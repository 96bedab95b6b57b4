"""The migrations lead to the models, on both databases, and back."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from app import create_app
from app.config import Settings
from app.extensions import db


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_app(request, new_database):
    """An application whose database has no tables yet."""
    app = create_app(
        Settings.from_environment(
            {
                "DATABASE_URL": new_database(request.param).url,
                "REDIS_URL": "redis://127.0.0.1:1",
                "SECRET_KEY": "a secret for empty tables",
            }
        )
    )
    with app.app_context():
        yield app
        db.engine.dispose()


def differences() -> list[object]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, db.metadata))


def indexes() -> set[tuple[str, str, bool]]:
    """Partial and unique indexes too, which alembic does not compare on SQLite."""
    found = inspect(db.engine)
    return {
        (table, str(index["name"]), bool(index["unique"]))
        for table in db.metadata.tables
        for index in found.get_indexes(table)
    }


def test_upgrade_makes_what_the_models_say(empty_app):
    upgrade(directory="migrations")
    assert differences() == []
    migrated = indexes()
    downgrade(directory="migrations", revision="base")
    db.metadata.create_all(db.engine)
    assert migrated == indexes()


def test_upgrade_twice_is_upgrade_once_and_downgrade_leaves_nothing(empty_app):
    upgrade(directory="migrations")
    upgrade(directory="migrations")
    downgrade(directory="migrations", revision="base")
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
