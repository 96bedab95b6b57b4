"""Indexes of large tables are built beside their writers, and built anew after an interruption."""

from collections.abc import Callable

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import inspect, text

from app.database.online_indexes import build_index, drop_index
from app.extensions import db

NAME = "ix_journal_of_a_test"
VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


@pytest.fixture
def migrate(live_app):
    """Runs a step as a migration does, and drops the index at the end."""

    def run(step: Callable[[], None]) -> None:
        with (
            db.engine.connect() as connection,
            Operations.context(
                MigrationContext.configure(connection, opts={"transaction_per_migration": True})
            ),
        ):
            step()

    yield run
    run(lambda: drop_index(NAME, "journal"))


def build(where: str | None = None) -> None:
    build_index(NAME, "journal", ["account_id", "id"], where)


def columns() -> list[list[str | None]]:
    found = inspect(db.engine).get_indexes("journal")
    return [index["column_names"] for index in found if index["name"] == NAME]


def test_an_index_is_built_once_and_dropped_once(migrate):
    for _ in range(2):
        migrate(lambda: build("id > 0"))
        assert columns() == [["account_id", "id"]]
    for _ in range(2):
        migrate(lambda: drop_index(NAME, "journal"))
        assert columns() == []


def test_what_an_interrupted_build_left_is_built_anew(migrate):
    if db.engine.dialect.name == "sqlite":
        return  # it builds none beside its writers
    broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"
    with db.engine.begin() as connection:
        connection.execute(text(f"CREATE INDEX {NAME} ON journal (id)"))
        connection.execute(text(broken), {"name": NAME})
    migrate(build)
    assert columns() == [["account_id", "id"]]
    with db.engine.begin() as connection:
        assert connection.scalar(VALID, {"name": NAME})
