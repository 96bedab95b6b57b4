"""Which migrations the database has, and which of ours it lacks.

A database that is ahead of the code is well: during a deploy the old processes work on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

#: Returns the first column of a statement's rows.
Ask = Callable[[str], Sequence[Any]]

#: Such tables may be as they should, or not.
UNKNOWN: Final = "has tables that no migration has made"
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
    source = "name FROM sqlite_master" if is_sqlite else "relname FROM pg_class"
    column = source.partition(" ")[0]
    tables = set(ask(f"SELECT {source} WHERE {column} IN ('account', 'alembic_version')"))
    if "alembic_version" not in tables:
        return UNKNOWN if "account" in tables else "has no tables"
    versions = set(ask("SELECT version_num FROM alembic_version"))
    if not versions:
        return "has no tables"
    behind = versions & _older()
    return f"is at {', '.join(sorted(behind))}, the code wants {newest()}" if behind else ""


def asking(connection: Connection) -> Ask:
    """Return what asks by a connection of SQLAlchemy's."""
    return lambda statement: list(connection.scalars(text(statement)))
