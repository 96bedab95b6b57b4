"""What the database lacks is said; a database that is ahead is well."""

from collections.abc import Sequence

import pytest

from app.database import schema_version
from app.extensions import db

BOTH = ["telegram_update", "alembic_version"]


def pending(tables: Sequence[str], *versions: str) -> str:
    def ask(statement: str) -> Sequence[str]:
        return versions if "version_num" in statement else tables

    return schema_version.pending(ask, is_sqlite=False)


def test_the_newest_migration_and_a_newer_one_lack_nothing():
    assert pending(BOTH, schema_version.newest()) == ""
    assert pending(BOTH, "9999") == ""


def test_an_older_one_is_named_with_the_one_that_is_wanted():
    newest = schema_version.newest()
    assert pending(BOTH, "0003") == f"is at 0003, the code wants {newest}"


@pytest.mark.parametrize("tables", [[], ["alembic_version"]])
def test_a_database_without_tables_is_named(tables):
    assert pending(tables) == "has no tables of Gatepost"


def test_tables_that_no_migration_has_made_are_told_apart():
    assert pending(["telegram_update"]) == schema_version.UNKNOWN
    assert pending(BOTH) == schema_version.UNKNOWN


def test_a_connection_is_asked_for_a_first_column(app):
    ask = schema_version.asking(db.session.connection())
    assert ask("SELECT 1 UNION SELECT 2 ORDER BY 1") == [1, 2]
    is_sqlite = db.engine.dialect.name == "sqlite"
    assert schema_version.pending(ask, is_sqlite=is_sqlite) == schema_version.UNKNOWN
