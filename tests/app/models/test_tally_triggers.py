"""The triggers of any tallied table, tried on a small one of our own."""

import re

import pytest
from sqlalchemy import text

from app.extensions import db
from app.models.tally_triggers import Span, TalliedTable, trigger_statements

HOUR = 3600
TOY = TalliedTable("toy", "toy_tally", "made", ("colour", "size"))


@pytest.fixture
def run(app):
    """Executes SQL in the transaction of this test, in which the toys and their tally exist."""

    def run(sql: str) -> list[tuple]:
        result = db.session.connection().execute(text(sql))
        return [tuple(row) for row in result] if result.returns_rows else []

    run(
        "CREATE TABLE toy (id integer, colour text, size integer, made double precision, note text)"
    )
    run(
        "CREATE TABLE toy_tally"
        " (colour text, size integer, span integer, start bigint, number bigint)"
    )
    for statement in trigger_statements(TOY, db.engine.dialect.name):
        db.session.connection().exec_driver_sql(statement)
    return run


def tally(run):
    rows = run(
        "SELECT colour, size, start, sum(number) FROM toy_tally GROUP BY colour, size, start"
        " HAVING sum(number) <> 0 ORDER BY colour, size, start"
    )
    return [(*row[:-1], int(row[-1])) for row in rows]


def test_rows_are_counted_by_their_columns_and_the_hour(run):
    for number, made in enumerate((3599.75, 0, 3600)):
        run(f"INSERT INTO toy VALUES ({number}, 'red', 5, {made}, '')")  # noqa: S608 - our own
    assert tally(run) == [("red", 5, 0, 2), ("red", 5, HOUR, 1)]
    run("DELETE FROM toy WHERE made < 3600")
    assert tally(run) == [("red", 5, HOUR, 1)]


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ("colour = 'blue'", [("blue", 5, 0, 2)]),
        ("size = size + id", [("red", 6, 0, 1), ("red", 7, 0, 1)]),
        ("made = made + 7200", [("red", 5, 2 * HOUR, 2)]),
        ("colour = 'blue', size = 9, made = made + 3600", [("blue", 9, HOUR, 2)]),
        ("made = made + 1", [("red", 5, 0, 2)]),
        ("note = 'x'", [("red", 5, 0, 2)]),
        ("colour = 'red', note = 'x'", [("red", 5, 0, 2)]),
    ],
)
def test_a_change_moves_a_row_from_one_count_to_another(run, change, after):
    run("INSERT INTO toy VALUES (1, 'red', 5, 10, ''), (2, 'red', 5, 20, '')")
    run(f"UPDATE toy SET {change}")  # noqa: S608 - our own
    assert tally(run) == after


def test_only_deltas_are_written_and_never_a_zero(run):
    run("INSERT INTO toy VALUES (1, 'red', 5, 10, '')")
    run("UPDATE toy SET size = 6")
    run("UPDATE toy SET size = 6")
    run("UPDATE toy SET note = 'x'")
    rows = run("SELECT span, number FROM toy_tally")
    assert {span for span, _ in rows} == {Span.DELTA}
    assert sorted(int(number) for _, number in rows) == [-1, 1, 1]


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_each_operation_has_one_trigger(dialect):
    triggers = " ".join(trigger_statements(TOY, dialect))
    created = re.findall(r"CREATE TRIGGER (\w+) AFTER (\w+)", triggers)
    assert created == [
        ("toy_tally_insert", "INSERT"), ("toy_tally_update", "UPDATE"),
        ("toy_tally_delete", "DELETE"),
    ]  # fmt: skip
