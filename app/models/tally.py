"""Tallies: how many rows a long list has, by hour and by the columns it is filtered by.

The database keeps them itself, by triggers, in the transaction that changes
the rows; no code path can forget to. A trigger only inserts rows of the span
DELTA, so writers never wait for each other. `services.lists.row_counts.compact`
adds these up to hours, days and totals.
"""

from sqlalchemy import BigInteger, Connection, Index, SmallInteger, String, event
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Moment, partial_index, table_of
from app.models.journal import JournalEntry
from app.models.lead import Lead
from app.models.postback import Postback
from app.models.tally_triggers import Span, TalliedTable, trigger_statements


def _indexes(table: str, *keys: str) -> tuple[Index, ...]:
    sums, deltas = f"span > {Span.DELTA:d}", f"span = {Span.DELTA:d}"
    return (
        partial_index(f"uq_{table}", *keys, where=sums, unique=True),
        partial_index(f"ix_{table}_fresh", "account_id", "id", where=deltas),
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
    """Journal entries by bot, chat and action, and the hour of `time`.

    Of one chat they are found by the unique index, of all chats of an account by the last one.
    """

    __tablename__ = "journal_tally"
    __table_args__ = (
        *_indexes("journal_tally", "account_id", "bot_id", "chat_id", "span", "start", "action"),
        partial_index(
            "ix_journal_tally_account_id_span",
            "account_id",
            "span",
            "start",
            "action",
            where=f"span > {Span.DELTA:d}",
        ),
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


def _create_triggers(rows: type[Base], tally: type[Base], time: str, *columns: str) -> None:
    """Create the triggers when the table is created; migrations carry their own copy."""
    tallied = TalliedTable(
        table_of(rows).name, table_of(tally).name, time, ("account_id", *columns)
    )

    def make(_table: object, connection: Connection, **_: object) -> None:
        for statement in trigger_statements(tallied, connection.dialect.name):
            connection.exec_driver_sql(statement)

    event.listen(table_of(tally), "after_create", make)
    table_of(tally).add_is_dependent_on(table_of(rows))  # the triggers are on those rows


_create_triggers(Lead, LeadTally, "start_time", "campaign_id", "state")
_create_triggers(JournalEntry, JournalTally, "time", "bot_id", "chat_id", "action")
_create_triggers(
    Postback, PostbackTally, "created", "campaign_id", "destination_id", "kind", "state"
)
