"""Update: the durable inbox. What is here, we have promised to process."""

from __future__ import annotations

import enum

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key


class UpdateState(enum.IntEnum):
    """Where an update is on its way."""

    WAITING = 0
    DONE = 1
    IGNORED = 2  # understood, and not for us; `reason` says why
    QUARANTINED = 3  # ours to look at; `reason` holds the traceback or the fault


class Update(Base):
    """One body Telegram sent, as it came.

    `update_id` is None only for a quarantined body without a usable one. There is
    no foreign key to the bot: it would lock a hot row on every insert.
    """

    __tablename__ = "telegram_update"
    __table_args__ = (
        Index("uq_telegram_update_bot_id_update_id", "bot_id", "update_id", unique=True),
        Index(
            "ix_telegram_update_waiting",
            "id",
            sqlite_where=text("state = 0"),
            postgresql_where=text("state = 0"),
        ),
        Index(
            "ix_telegram_update_parked",
            "id",
            sqlite_where=text("state = 3"),
            postgresql_where=text("state = 3"),
        ),
        Index("ix_telegram_update_received", "received"),
    )

    id: Mapped[Key]
    bot_id: Mapped[int] = mapped_column(BigInteger)
    update_id: Mapped[int | None] = mapped_column(BigInteger)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received: Mapped[Instant]
    state: Mapped[int] = mapped_column(SmallInteger, default=UpdateState.WAITING)
    reason: Mapped[str | None] = mapped_column(Text)
