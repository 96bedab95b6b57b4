"""What PostgreSQL is to believe of columns by which it must not search.

A lead is found by (campaign, subscriber), an older postback by (lead, destination). A
table that was analyzed while each campaign had one lead makes the index on campaigns
look just as good, and a search through it reads all leads of the campaign.
"""

from typing import Final

from sqlalchemy import Column, Connection, event

from app.models.base import table_of
from app.models.lead import Lead
from app.models.postback import Postback

#: So few different values ANALYZE reports at most: a search by the column alone looks dear.
DISTINCT_VALUES: Final = 20

COLUMNS: Final = (table_of(Lead).c.campaign_id, table_of(Postback).c.destination_id)


def _set_up(column: Column[int]) -> None:
    """Set it when the table is created; migrations carry their own copy."""

    def make(_table: object, connection: Connection, **_: object) -> None:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                f"ALTER TABLE {column.table.name} ALTER COLUMN {column.name}"
                f" SET (n_distinct = {DISTINCT_VALUES})"
            )

    event.listen(column.table, "after_create", make)


for _column in COLUMNS:
    _set_up(_column)
