"""The SQL of the triggers behind the tallies, for both databases.

PostgreSQL sums a whole statement at once, from its transition tables; SQLite
only has triggers for each row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from app.domain.time_ranges import HOUR

#: By operation: what PostgreSQL calls its rows, and what each of them counts.
_COUNTS: Final = {
    "INSERT": {"NEW": 1},
    "UPDATE": {"NEW": 1, "OLD": -1},
    "DELETE": {"OLD": -1},
}


class Kept(NamedTuple):
    """A table whose rows are counted in `tally`, by `columns` and the hour of `time`."""

    table: str
    tally: str
    time: str
    columns: tuple[str, ...]


def ddl(kept: Kept, dialect: str) -> Iterator[str]:
    """The statements that make the triggers of one tally."""
    return _postgresql(kept) if dialect == "postgresql" else _sqlite(kept)


def _postgresql(kept: Kept) -> Iterator[str]:
    """One function and one trigger for each operation."""
    for operation, counts in _COUNTS.items():
        name = f"{kept.tally}_{operation.lower()}"
        named = " ".join(f"{side} TABLE AS {side.lower()}_rows" for side in counts)
        yield _function(kept, name, counts)
        yield (
            f"CREATE TRIGGER {name} AFTER {operation} ON {kept.table}\n"
            f"REFERENCING {named}\n"
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def _function(kept: Kept, name: str, counts: dict[str, int]) -> str:
    columns = ", ".join(kept.columns)
    hour = f"CAST(floor({kept.time}) AS bigint) / {HOUR} * {HOUR}"
    moved = " UNION ALL ".join(
        f"SELECT {columns}, {hour} AS start, {count} AS number FROM {side.lower()}_rows"
        for side, count in counts.items()
    )
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        f"BEGIN\n"
        f"INSERT INTO {kept.tally} ({columns}, span, start, number)\n"
        f"SELECT {columns}, 0, start, sum(number) FROM ({moved}) moved\n"
        f"GROUP BY {columns}, start HAVING sum(number) <> 0;\n"
        f"RETURN NULL;\n"
        f"END $$"
    )


def _sqlite(kept: Kept) -> Iterator[str]:
    """One trigger for each operation."""
    watched = (*kept.columns, kept.time)
    moved = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in watched)
    for operation, counts in _COUNTS.items():
        name = f"{kept.tally}_{operation.lower()}"
        is_update = operation == "UPDATE"
        happening = f"UPDATE OF {', '.join(watched)}" if is_update else operation
        when = f" WHEN {moved}" if is_update else ""
        additions = "\n".join(_addition(kept, side, count) for side, count in counts.items())
        yield (
            f"CREATE TRIGGER {name} AFTER {happening} ON {kept.table}{when}\n"
            f"BEGIN\n{additions}\nEND"
        )


def _addition(kept: Kept, side: str, count: int) -> str:
    values = ", ".join(f"{side}.{column}" for column in kept.columns)
    hour = f"CAST({side}.{kept.time} AS INTEGER) / {HOUR} * {HOUR}"
    return (
        f"INSERT INTO {kept.tally} ({', '.join(kept.columns)}, span, start, number) "
        f"VALUES ({values}, 0, {hour}, {count});"
    )
