"""Inserting and updating many rows on SQLite: a plain statement, executed once for each row.

To unfold rows out of JSON takes SQLite longer than to write them. The driver executes a statement
that is prepared for row after row without leaving C.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import LargeBinary, Table
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from app.database.direct import Write

Rows = Iterable[Sequence[Any]]


def scalar_defaults(table: Table, names: Sequence[str]) -> dict[str, Any]:
    """The values that a new row gets in columns other than `names`, where the model has one."""
    return {
        column.name: column.default.arg
        for column in table.c
        if column.name not in names and isinstance(column.default, ScalarElementColumnDefault)
    }


def insertion(
    table: Table, names: tuple[str, ...], rows: Rows, *, ignore_conflicts: bool = False
) -> Write:
    """What inserts `rows`, with values in the order of `names`."""
    sql, defaults = _insertion(table, names, ignore_conflicts)
    return sql, [(*row, *defaults) for row in rows]


def updating(table: Table, names: tuple[str, ...], rows: Rows, where: Mapping[str, Any]) -> Write:
    """What updates by primary key: each row is (id, new values in the order of `names`).

    `where` are values that columns must still have.
    """
    old = tuple(where.values())
    return _updating(table, names, tuple(where)), [(*row, *old) for row in rows]


@lru_cache(maxsize=64)
def _insertion(
    table: Table, names: tuple[str, ...], ignore_conflicts: bool
) -> tuple[str, tuple[Any, ...]]:
    defaults = scalar_defaults(table, names)
    columns = [*names, *defaults]
    places = ", ".join(_value(table, name, "?") for name in columns)
    conflict = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    sql = f"INSERT INTO {table.name} ({_listed(columns)}) VALUES ({places}){conflict}"  # noqa: S608
    return sql, tuple(defaults.values())


@lru_cache(maxsize=64)
def _updating(table: Table, names: tuple[str, ...], where: tuple[str, ...]) -> str:
    changes = ", ".join(
        f'"{name}" = {_value(table, name, f"?{number}")}' for number, name in enumerate(names, 2)
    )
    old = "".join(f' AND "{name}" = ?{number}' for number, name in enumerate(where, len(names) + 2))
    return f"UPDATE {table.name} SET {changes} WHERE id = ?1{old}"  # noqa: S608 - of our own names


def _value(table: Table, name: str, place: str) -> str:
    """The new value of a column: SQLite would keep a text as one among bytes."""
    is_binary = isinstance(table.c[name].type, LargeBinary)
    return f"CAST({place} AS BLOB)" if is_binary else place


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
