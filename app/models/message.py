"""Message: what a bot writes to a person in Telegram."""

import enum

from sqlalchemy import BigInteger, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key, partial_index


class MessageState(enum.IntEnum):
    """WAITING and SENDING are on their way; the other states are final."""

    WAITING = 0
    SENDING = 1
    SENT = 2
    FAILED = 3
    UNREACHABLE = 4
    UNCERTAIN = 5  # sent twice without an answer; it may have arrived


class MessageLane(enum.IntEnum):
    """URGENT ones go first: they are of no use after some minutes."""

    URGENT = 0
    NORMAL = 1


class Message(Base):
    """`text` has its macros filled in; `markup` is Telegram's reply_markup as JSON.

    `media` is the code of a Media, or None; with media `text` is the caption.
    `entities` are its MessageEntity objects as JSON, "" without any; then
    Telegram parses the text by `parse_mode`, unless that is "". It is not sent after
    `expires`, if that is set.
    """

    __tablename__ = "message"
    __table_args__ = (
        partial_index(
            "ix_message_waiting", "bot_id", "due", "id", where=f"state = {MessageState.WAITING:d}"
        ),
        partial_index(
            "ix_message_urgent",
            "bot_id",
            "due",
            "id",
            where=f"state = {MessageState.WAITING:d} AND lane = {MessageLane.URGENT:d}",
        ),
        partial_index(
            "ix_message_sending", "lease_until", where=f"state = {MessageState.SENDING:d}"
        ),
        Index("ix_message_bot_id_chat_id", "bot_id", "chat_id", "id"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    lead_id: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    media: Mapped[str | None] = mapped_column(String(64))
    parse_mode: Mapped[str] = mapped_column(String(16), default="Markdown")
    entities: Mapped[str] = mapped_column(Text, default="", server_default="")
    markup: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[int] = mapped_column(SmallInteger, default=MessageState.WAITING)
    reason: Mapped[str] = mapped_column(String(300), default="")
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    due: Mapped[Instant]
    lease: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[Instant | None]
    created: Mapped[Instant]
    sent: Mapped[Instant | None]
    lane: Mapped[int] = mapped_column(SmallInteger, default=MessageLane.NORMAL, server_default="1")
    expires: Mapped[Instant | None]
