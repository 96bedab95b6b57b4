"""Indexes of large tables, built and dropped while others write. For migrations."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op


def build_index(name: str, table: str, columns: Sequence[str], where: str | None = None) -> None:
    """Build an index over the rows `where`, or over all, and keep nobody waiting.

    A build takes as long as it takes, outside of a transaction. What an interrupted one has left
    is built anew.
    """
    condition = None if where is None else sa.text(where)
    with op.get_context().autocommit_block():
        if _is_postgresql():
            op.execute("SET statement_timeout = 0")
            op.execute("SET lock_timeout = 0")
            if op.get_bind().scalar(_BROKEN, {"name": name}):
                op.execute(f"DROP INDEX CONCURRENTLY {name}")
        options: dict[str, Any] = {"if_not_exists": True, "postgresql_concurrently": True}
        op.create_index(
            name, table, columns, sqlite_where=condition, postgresql_where=condition, **options
        )
        if _is_postgresql():
            op.execute("RESET statement_timeout")
            op.execute("RESET lock_timeout")


def drop_index(name: str, table: str) -> None:
    """Drop an index and keep nobody waiting."""
    with op.get_context().autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


_BROKEN = sa.text("SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
