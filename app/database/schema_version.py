"""Which migrations the database has, and which of ours it lacks.

A database that is ahead of the code is well: during a deploy the old processes work on.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

#: Returns the first column of a statement's rows.
Ask = Callable[[str], Sequence[Any]]

#: What is said then. Whether such tables are as they should be is not known.
UNKNOWN: Final = "has tables that no migration has made"
_NAMES: Final = "('telegram_update'), ('alembic_version')"
_TABLES: Final = (  # in the schemas of the search path, where ours are looked for
    f"SELECT name FROM (VALUES {_NAMES}) AS ours(name) WHERE to_regclass(name) IS NOT NULL"  # noqa: S608
)
_TABLES_OF_A_FILE: Final = f"SELECT name FROM sqlite_master WHERE (name) IN (VALUES {_NAMES})"  # noqa: S608
_MIGRATIONS: Final = Path(__file__).parents[2] / "migrations"


@lru_cache
def newest() -> str:
    """Return the newest migration that this code knows."""
    return ScriptDirectory(str(_MIGRATIONS)).get_current_head() or ""


@lru_cache
def _older() -> frozenset[str]:
    """All migrations that this code knows, but the newest."""
    scripts = ScriptDirectory(str(_MIGRATIONS)).walk_revisions()
    return frozenset(script.revision for script in scripts) - {newest()}


def pending(ask: Ask, *, is_sqlite: bool) -> str:
    """Return in a few words what the database lacks; "" if nothing."""
    tables = set(ask(_TABLES_OF_A_FILE if is_sqlite else _TABLES))
    if "telegram_update" not in tables:
        return "has no tables of Gatepost"
    versions = set(ask("SELECT version_num FROM alembic_version")) if len(tables) > 1 else set()
    if not versions:
        return UNKNOWN
    behind = versions & _older()
    return f"is at {', '.join(sorted(behind))}, the code wants {newest()}" if behind else ""


def asking(connection: Connection) -> Ask:
    """Return what asks by a connection of SQLAlchemy's."""
    return lambda statement: list(connection.scalars(text(statement)))
