"""What was released is written down, stays as it was, and can be gone up and down from."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade

from app import create_app
from app.config import VERSION, Settings
from app.extensions import db
from tests.support import ROOT
from tests.support.releases import LAST, RELEASES, HistoryMissing, git

MIGRATIONS = ROOT / "migrations"
#: Columns of a table: their types, whether they may be NULL, and whether they have a default.
Columns = dict[str, dict[str, tuple[str, bool, bool]]]
#: Migrations that no release before the first was ever over: their names were free to change.
BEFORE_ANY_RELEASE = {
    "0008": "columns get plain names",
    "0017": "a column gets its plain name",
}
TEXT = '{"of": %d}'  # what any column of text may hold


def test_each_release_is_a_row_of_the_document_and_a_part_of_the_changelog():
    rows = re.findall(
        r"^\| ([\d.]+) \| `(\w+)` \| (\d{4}) \|",
        (ROOT / "docs/releases.md").read_text(),
        re.MULTILINE,
    )
    assert rows == [(one.version, one.commit, one.migration) for one in reversed(RELEASES)]
    parts = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert [part.split()[0] for part in parts] == ["Unreleased", *(row[0] for row in rows)]


def test_this_tree_is_after_the_last_release():
    def numbers(version: str) -> list[int]:
        return [int(part) for part in version.removesuffix(".dev0").split(".")]

    assert numbers(VERSION) > numbers(LAST.version) or LAST.version == VERSION
    assert LAST.version == VERSION or VERSION.endswith(".dev0")


def test_a_migration_of_a_release_is_never_edited():
    """Who has applied it does not apply it again."""
    try:
        listed = git("ls-tree", LAST.commit, "migrations/versions/").decode()
    except HistoryMissing:
        pytest.skip(f"no Git history back to {LAST.version} here: its migrations are not compared")
    blobs = {line.split("\t")[1]: line.split()[2] for line in listed.splitlines()}
    now = {
        name: git("hash-object", name).decode().strip() for name in blobs if (ROOT / name).exists()
    }
    assert now == blobs
    assert max(Path(name).name[:4] for name in blobs) == LAST.migration


# Old code over new tables


def columns(connection: sa.Connection) -> Columns:
    """What every table has."""
    return {
        str(table): {
            column["name"]: (
                type(column["type"]).__name__ + str(getattr(column["type"], "length", "") or ""),
                bool(column["nullable"]),
                column["default"] is not None or column.get("autoincrement") is True,
            )
            for column in found
        }
        for (_, table), found in sa.inspect(connection).get_multi_columns().items()
    }


def contractions(before: Columns, after: Columns) -> Iterator[str]:
    """What code that was written for `before` would miss, or fail at."""
    for table, old in before.items():
        if table not in after:
            yield f"{table} is gone"
            continue
        new = after[table]
        yield from (f"{table}.{name} is gone" for name in old.keys() - new.keys())
        for name, (kind, nullable, has_default) in new.items():
            if name not in old:
                if not nullable and not has_default:
                    yield f"{table}.{name} must be given"
                continue
            was, could_be_null, had_default = old[name]
            if was != kind:
                yield f"{table}.{name} was {was}, is {kind}"
            if could_be_null and not nullable:
                yield f"{table}.{name} may not be NULL any more"
            if had_default and not has_default:
                yield f"{table}.{name} has no default any more"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_app(request, new_database):
    """An application whose database has no tables yet."""
    environ = {
        "DATABASE_URL": new_database(request.param).url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "SECRET_KEY": "a secret for empty tables",
    }
    app = create_app(Settings.from_environment(environ))
    with app.app_context():
        yield app
        db.engine.dispose()


def revisions() -> list[str]:
    return sorted(one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions())


def test_the_code_before_a_migration_works_on_after_it(empty_app):
    seen: dict[str, Columns] = {}
    for revision in revisions():
        upgrade(directory=str(MIGRATIONS), revision=revision)
        with db.engine.connect() as connection:
            seen[revision] = columns(connection)
    pairs = list(zip(seen, list(seen)[1:], strict=False))
    found = {new: list(contractions(seen[old], seen[new])) for old, new in pairs}
    assert {new for new, lost in found.items() if lost} == set(BEFORE_ANY_RELEASE), found
    assert max(BEFORE_ANY_RELEASE) <= RELEASES[0].migration


@pytest.mark.parametrize(
    ("change", "contraction"),
    [
        ("ALTER TABLE one DROP COLUMN name", "one.name is gone"),
        ("ALTER TABLE one RENAME COLUMN name TO title", "one.name is gone"),
        ("ALTER TABLE one ADD COLUMN size INTEGER NOT NULL", "one.size must be given"),
        ("ALTER TABLE one RENAME TO two", "one is gone"),
    ],
)
def test_a_migration_that_old_code_would_fail_at_is_found(change, contraction):
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE one (id INTEGER PRIMARY KEY, name TEXT)")
        before = columns(connection)
        connection.exec_driver_sql(change)
        assert contraction in list(contractions(before, columns(connection)))


def test_so_is_a_column_that_takes_less_than_before():
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE one (id INTEGER, name VARCHAR(9) DEFAULT '')")
        before = columns(connection)
        with Operations(MigrationContext.configure(connection)).batch_alter_table("one") as table:
            table.alter_column("name", type_=sa.String(4), nullable=False, server_default=None)
        assert list(contractions(before, columns(connection))) == [
            "one.name was VARCHAR9, is VARCHAR4",
            "one.name may not be NULL any more",
            "one.name has no default any more",
        ]


# Rows of the release, up and down


def fill(connection: sa.Connection) -> None:
    """Two rows in each table, of which each tells its number."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name == "alembic_version" or table.name.endswith("_tally"):
            continue  # triggers fill the latter
        for number in (1, 2):
            values = {column.name: value_of(column, number) for column in table.columns}
            connection.execute(table.insert().values(values))


def value_of(column: sa.Column[Any], number: int) -> object:
    """What such a column may hold; a short one as much as it takes."""
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return number == 1
    if isinstance(kind, sa.Integer | sa.Float | sa.Numeric):
        return number
    if isinstance(kind, sa.LargeBinary):
        return bytes([number])
    length = getattr(kind, "length", None)
    return (TEXT % number) if not length or length >= len(TEXT) else str(number)


def rows(connection: sa.Connection) -> dict[str, list[dict[str, object]]]:
    """All that is in the tables."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return {
        table.name: sorted(
            (dict(row) for row in connection.execute(table.select()).mappings()), key=repr
        )
        for table in metadata.sorted_tables
        if table.name != "alembic_version"
    }


def losses(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Which rows of which tables are not there as they were; new columns are no loss."""
    return [
        f"{table}: {row}"
        for table, old in before.items()
        for row in old
        if not any(row.items() <= now.items() for now in after.get(table, ()))
    ]


def test_rows_of_the_last_release_go_up_and_come_back(empty_app):
    upgrade(directory=str(MIGRATIONS), revision=LAST.migration)
    with db.engine.begin() as connection:
        fill(connection)
        before = rows(connection)
    assert all(before.values()), "no table is left out"
    upgrade(directory=str(MIGRATIONS))
    with db.engine.connect() as connection:
        assert losses(before, rows(connection)) == []
    downgrade(directory=str(MIGRATIONS), revision=LAST.migration)
    with db.engine.connect() as connection:
        assert rows(connection) == before


def test_a_row_that_is_lost_on_the_way_is_found():
    before = {"one": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]}
    assert losses(before, {"one": [{"id": 1, "name": "a", "new": 0}, {"id": 2, "name": "b"}]}) == []
    assert losses(before, {"one": [{"id": 1, "name": "a"}]}) == ["one: {'id': 2, 'name': 'b'}"]
    assert len(losses(before, {"one": [{"id": 1, "name": "a"}, {"id": 2, "name": ""}]})) == 1
    assert len(losses(before, {})) == 2
