"""Update: the inbox. Every stored update will be processed."""

import enum

from sqlalchemy import BigInteger, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key, partial_index


class UpdateState(enum.IntEnum):
    """How far an update has come."""

    WAITING = 0
    DONE = 1
    IGNORED = 2  # understood, but of no use to us; `reason` says why
    QUARANTINED = 3  # kept for the operator; `reason` is the fault or the traceback


class Update(Base):
    """One body as Telegram sent it; empty once it is done or ignored.

    `update_id` is None only for a quarantined body without a usable one. There
    is no foreign key to the bot: every insert would lock the bot's row.
    """

    __tablename__ = "telegram_update"
    __table_args__ = (
        Index("uq_telegram_update_bot_id_update_id", "bot_id", "update_id", unique=True),
        partial_index(
            "ix_telegram_update_waiting", "bot_id", "id", where=f"state = {UpdateState.WAITING:d}"
        ),
        partial_index(
            "ix_telegram_update_quarantined", "id", where=f"state = {UpdateState.QUARANTINED:d}"
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
