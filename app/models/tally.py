"""Tallies: how many rows of a long list there are, by hour and by what is filtered.

The database keeps them itself, by triggers, in the transaction that moves the
rows; no code path can forget to. A trigger only adds rows of the span DELTA,
so writers never wait for each other; `services.lists.row_counts.compact` adds these up.
"""

from __future__ import annotations

import enum

from sqlalchemy import BigInteger, Connection, Index, SmallInteger, String, event, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Moment, table_of
from app.models.journal import JournalEntry
from app.models.lead import Lead
from app.models.postback import Postback
from app.models.tally_triggers import Kept, ddl


class Span(enum.IntEnum):
    """What `start` begins."""

    DELTA = 0  # an hour, not yet added to the others
    HOUR = 1
    DAY = 2
    TOTAL = 3  # all of time; `start` is 0


def _indexes(table: str, *keys: str) -> tuple[Index, ...]:
    folded, fresh = text("span > 0"), text("span = 0")
    return (
        Index(f"uq_{table}", *keys, unique=True, sqlite_where=folded, postgresql_where=folded),
        Index(f"ix_{table}_fresh", "account_id", "id", sqlite_where=fresh, postgresql_where=fresh),
    )


class LeadTally(Base):
    """Leads by campaign and state, and the hour of `start_time`."""

    __tablename__ = "lead_tally"
    __table_args__ = _indexes("lead_tally", "account_id", "span", "start", "campaign_id", "state")

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[int] = mapped_column(SmallInteger)
    span: Mapped[int] = mapped_column(SmallInteger)
    start: Mapped[Moment]
    number: Mapped[int] = mapped_column(BigInteger)


class JournalTally(Base):
    """Journal entries by bot, chat and action, and the hour of `time`."""

    __tablename__ = "journal_tally"
    __table_args__ = _indexes(
        "journal_tally", "account_id", "bot_id", "chat_id", "span", "start", "action"
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[int] = mapped_column(SmallInteger)
    span: Mapped[int] = mapped_column(SmallInteger)
    start: Mapped[Moment]
    number: Mapped[int] = mapped_column(BigInteger)


class PostbackTally(Base):
    """Postbacks by campaign, destination, kind and state, and the hour of `created`."""

    __tablename__ = "postback_tally"
    __table_args__ = _indexes(
        "postback_tally",
        "account_id", "span", "start", "campaign_id", "destination_id", "kind", "state",
    )  # fmt: skip

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    destination_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[int] = mapped_column(SmallInteger)
    span: Mapped[int] = mapped_column(SmallInteger)
    start: Mapped[Moment]
    number: Mapped[int] = mapped_column(BigInteger)


def _keep(rows: type[Base], tally: type[Base], time: str, *columns: str) -> None:
    """Have the triggers made with the table; migrations carry their own copy."""
    kept = Kept(table_of(rows).name, table_of(tally).name, time, ("account_id", *columns))

    def make(_table: object, connection: Connection, **_: object) -> None:
        for statement in ddl(kept, connection.dialect.name):
            connection.exec_driver_sql(statement)

    event.listen(table_of(tally), "after_create", make)
    table_of(tally).add_is_dependent_on(table_of(rows))  # the triggers are on those rows


_keep(Lead, LeadTally, "start_time", "campaign_id", "state")
_keep(JournalEntry, JournalTally, "time", "bot_id", "chat_id", "action")
_keep(Postback, PostbackTally, "created", "campaign_id", "destination_id", "kind", "state")
