"""JournalEntry: every happening in a tracked chat, and what we decided."""

from __future__ import annotations

import enum

from sqlalchemy import BigInteger, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Moment


class Action(enum.IntEnum):
    """As the public API numbers them."""

    JOIN = 1
    LEAVE = 2
    KICK = 3
    REQUEST = 4
    START = 5
    BOT_STOPPED = 6
    BOT_RESUMED = 7


class JournalEntry(Base):
    """`decision` tells in words what the happening did to the lead.

    A trailing /start looks up the organic entries of its person, which is
    what the partial index is for. `lead_id` is None for organic entries.
    """

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_bot_id_chat_id_time", "bot_id", "chat_id", "time", "id"),
        Index(
            "ix_journal_organic",
            "campaign_id",
            "subscriber",
            sqlite_where=text("lead_id IS NULL"),
            postgresql_where=text("lead_id IS NULL"),
        ),
        Index(
            "ix_journal_lead_id",
            "lead_id",
            sqlite_where=text("lead_id IS NOT NULL"),
            postgresql_where=text("lead_id IS NOT NULL"),
        ),
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
    update_uid: Mapped[int] = mapped_column(BigInteger, default=0)
    decision: Mapped[str] = mapped_column(String(200), default="")
