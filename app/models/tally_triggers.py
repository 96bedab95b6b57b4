"""The SQL of the triggers that keep the tallies, for both databases.

PostgreSQL sums a whole statement at once, from its transition tables; SQLite
only has triggers for each row.
"""

import enum
from collections.abc import Iterator
from typing import Final, NamedTuple

from app.domain.time_ranges import HOUR

#: By operation: what PostgreSQL calls its rows, and what each of them counts.
_COUNTS: Final = {
    "INSERT": {"NEW": 1},
    "UPDATE": {"NEW": 1, "OLD": -1},
    "DELETE": {"OLD": -1},
}


class Span(enum.IntEnum):
    """How much time a row of a tally covers, from its `start` on."""

    DELTA = 0  # an hour, not yet added to the rows of the other spans
    HOUR = 1
    DAY = 2
    TOTAL = 3  # all of time; `start` is 0


class TalliedTable(NamedTuple):
    """A table whose rows are counted in `tally`, by `columns` and the hour of `time`."""

    table: str
    tally: str
    time: str
    columns: tuple[str, ...]


def trigger_statements(tallied: TalliedTable, dialect: str) -> Iterator[str]:
    """The statements that create the triggers of one tally. `dialect` is SQLAlchemy's name."""
    return _postgresql(tallied) if dialect == "postgresql" else _sqlite(tallied)


def _postgresql(tallied: TalliedTable) -> Iterator[str]:
    """One function and one trigger for each operation."""
    for operation, counts in _COUNTS.items():
        name = f"{tallied.tally}_{operation.lower()}"
        named = " ".join(f"{side} TABLE AS {side.lower()}_rows" for side in counts)
        yield _function(tallied, name, counts)
        yield (
            f"CREATE TRIGGER {name} AFTER {operation} ON {tallied.table}\n"
            f"REFERENCING {named}\n"
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def _function(tallied: TalliedTable, name: str, counts: dict[str, int]) -> str:
    columns = ", ".join(tallied.columns)
    hour = f"CAST(floor({tallied.time}) AS bigint) / {HOUR} * {HOUR}"
    moved = " UNION ALL ".join(
        f"SELECT {columns}, {hour} AS start, {count} AS number FROM {side.lower()}_rows"
        for side, count in counts.items()
    )
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        f"BEGIN\n"
        f"INSERT INTO {tallied.tally} ({columns}, span, start, number)\n"
        f"SELECT {columns}, {Span.DELTA:d}, start, sum(number) FROM ({moved}) moved\n"
        f"GROUP BY {columns}, start HAVING sum(number) <> 0;\n"
        f"RETURN NULL;\n"
        f"END $$"
    )


def _sqlite(tallied: TalliedTable) -> Iterator[str]:
    """One trigger for each operation."""
    watched = (*tallied.columns, tallied.time)
    moved = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in watched)
    for operation, counts in _COUNTS.items():
        name = f"{tallied.tally}_{operation.lower()}"
        is_update = operation == "UPDATE"
        operation_sql = f"UPDATE OF {', '.join(watched)}" if is_update else operation
        when = f" WHEN {moved}" if is_update else ""
        additions = "\n".join(_addition(tallied, side, count) for side, count in counts.items())
        yield (
            f"CREATE TRIGGER {name} AFTER {operation_sql} ON {tallied.table}{when}\n"
            f"BEGIN\n{additions}\nEND"
        )


def _addition(tallied: TalliedTable, side: str, count: int) -> str:
    values = ", ".join(f"{side}.{column}" for column in tallied.columns)
    hour = f"CAST({side}.{tallied.time} AS INTEGER) / {HOUR} * {HOUR}"
    return (
        f"INSERT INTO {tallied.tally} ({', '.join(tallied.columns)}, span, start, number) "
        f"VALUES ({values}, {Span.DELTA:d}, {hour}, {count});"
    )
