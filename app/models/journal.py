"""JournalEntry: one lead event in a tracked chat, and what was decided."""

import enum
from typing import Final

from sqlalchemy import BigInteger, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Moment, partial_index


class Action(enum.IntEnum):
    """What a person did, or the desk about their request, numbered as in the public API."""

    JOIN = 1
    LEAVE = 2
    KICK = 3
    REQUEST = 4
    START = 5
    BOT_STOPPED = 6
    BOT_RESUMED = 7
    APPROVED = 8  # a request, by the desk
    DECLINED = 9


#: What every entry has; those of lead events have also by which way the person came.
ENTRY_COLUMNS: Final = (
    "account_id", "bot_id", "chat_id", "campaign_id", "lead_id", "subscriber", "username",
    "action", "time", "update_id", "decision",
)  # fmt: skip


class JournalEntry(Base):
    """`decision` says in words what the event did to the lead.

    `lead_id` is None for organic entries. A first start that arrives after
    the membership it caused looks these up by the partial index. `arrival` is
    a `domain.telegram.evidence.Arrival`, and `link_key` stands for the invite link.
    """

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_bot_id_chat_id_time", "bot_id", "chat_id", "time", "id"),
        Index("ix_journal_account_id_time", "account_id", "time", "id"),
        partial_index("ix_journal_organic", "campaign_id", "subscriber", where="lead_id IS NULL"),
        partial_index("ix_journal_lead_id", "lead_id", where="lead_id IS NOT NULL"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    lead_id: Mapped[int | None] = mapped_column(BigInteger)
    subscriber: Mapped[int] = mapped_column(BigInteger)
    username: Mapped[str] = mapped_column(String(64), default="")
    action: Mapped[int] = mapped_column(SmallInteger)
    time: Mapped[Moment]
    update_id: Mapped[int] = mapped_column(BigInteger, default=0)
    decision: Mapped[str] = mapped_column(String(200), default="")
    arrival: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    link_key: Mapped[str | None] = mapped_column(String(32))
    link_name: Mapped[str] = mapped_column(String(32), default="", server_default="")
