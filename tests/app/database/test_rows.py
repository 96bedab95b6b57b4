"""Statements that both databases understand."""

from sqlalchemy import select, text

from app.database import rows as database
from app.extensions import db
from app.models import ConversionDay, table_of


def test_a_loose_index_scan_finds_each_value_once_and_none_twice(live_app):
    rows = "(SELECT 3 AS bot, 0 AS state UNION ALL SELECT 7, 0 UNION ALL SELECT 3, 0"
    rows += " UNION ALL SELECT 9, 0 UNION ALL SELECT 5, 1) AS waiting"
    every = database.loose_index_scan(rows, "bot", "state = 0")
    behind = database.loose_index_scan(rows, "bot", "state = 0", after=":after")
    found = "SELECT id FROM next WHERE id IS NOT NULL ORDER BY id"
    with db.engine.connect() as connection:
        assert list(connection.scalars(text(f"WITH RECURSIVE {every} {found}"))) == [3, 7, 9]
        statement = text(f"WITH RECURSIVE {behind} {found}")
        assert list(connection.scalars(statement, {"after": 3})) == [7, 9]
        assert list(connection.scalars(statement, {"after": 9})) == []


def test_a_sum_of_64_bits_stops_at_its_end_instead_of_being_refused(world):
    campaign, keys = world.campaign(), ("campaign_id", "day", "kind", "currency")
    for added, there in (
        (database.MOST - 5, database.MOST - 5),
        (999, database.MOST),
        (-database.MOST, 0),
        (-database.MOST, -database.MOST),
        (-database.MOST, -database.MOST),
        (7, 7 - database.MOST),
    ):
        rows = [(campaign, 1, "purchase", "USD", 1, added)]
        connection = db.session.connection()
        counters = ("count", "value_micro")
        database.increment_rows(connection, table_of(ConversionDay), keys, counters, rows)
        assert db.session.scalar(select(ConversionDay.value_micro)) == there
