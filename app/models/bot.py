"""Bot, the chats it administers, and what is wrong with it."""

import enum
from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, true
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Encrypted, Instant, Key, Moment, partial_index

#: Seconds for which it is news that Telegram could not deliver an update of a bot.
WEBHOOK_ERROR_FRESH: Final = 3600


class BotStatus(enum.IntEnum):
    """As the public API numbers them; 2 is not used there."""

    ACTIVE = 0
    WARNING = 1
    DELETED = 3


class BotFaultKind(enum.StrEnum):
    """What an owner has to mend. Also the kinds of notices that tell of it."""

    TOKEN = "token"  # noqa: S105 - Telegram refuses the token
    WEBHOOK = "webhook"  # another program sets or deletes the bot's webhook
    POLLING = "polling"  # another program polls the bot's updates
    RIGHTS = "rights"  # the bot is no administrator of a tracked chat
    INVITE = "invite"  # the bot may not invite users to a tracked chat


class Bot(Base):
    """A customer's Telegram bot.

    `webhook_path` is random and part of the webhook's address; the secret header
    is derived from it (`cipher.webhook_secret`). `paused` says why we stopped calling
    Telegram for this bot: its token was refused. `quiet_until` is the end of
    a flood wait, and `next_send` the earliest moment of its next message; both are
    stored so that every process obeys them, also after a restart. `checked` is when
    Telegram was last asked how the bot stands (`services.bots.checks`). After a flood wait
    invite links are made more slowly, and until `invites_slow_until` ever faster again.
    `webhook_pending` updates waited at Telegram when it was asked last, and `webhook_error` is
    what it said of the newest that it could not deliver, at `webhook_error_time`.
    """

    __tablename__ = "bot"
    __table_args__ = (
        Index("ix_bot_account_id", "account_id"),
        Index("uq_bot_webhook_path", "webhook_path", unique=True),
        partial_index("uq_bot_tg_id_living", "tg_id", where="status <> 3", unique=True),
        partial_index("ix_bot_checked_living", "checked", where="status <> 3"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    tg_id: Mapped[int] = mapped_column(BigInteger)
    username: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(128))
    token: Mapped[str] = mapped_column(Encrypted)
    status: Mapped[int] = mapped_column(default=BotStatus.ACTIVE)
    paused: Mapped[str] = mapped_column(String(200), default="")
    webhook_path: Mapped[str] = mapped_column(String(64))
    webhook_url: Mapped[str] = mapped_column(String(500), default="")
    poll_offset: Mapped[int] = mapped_column(BigInteger, default=0)
    poll_token: Mapped[str] = mapped_column(String(32), default="")
    poll_until: Mapped[Instant] = mapped_column(default=0.0)
    quiet_until: Mapped[Instant] = mapped_column(default=0.0)
    next_send: Mapped[Instant] = mapped_column(default=0.0)
    created: Mapped[Moment]
    checked: Mapped[Instant] = mapped_column(default=0.0, server_default="0")
    invites_slow_until: Mapped[Instant] = mapped_column(default=0.0, server_default="0")
    webhook_pending: Mapped[int] = mapped_column(default=0, server_default="0")
    webhook_error: Mapped[str] = mapped_column(String(200), default="", server_default="")
    webhook_error_time: Mapped[Moment] = mapped_column(default=0, server_default="0")

    @hybrid_property
    def living(self) -> bool:
        """Whether it has not been deleted; in SQL a condition on `status`."""
        return self.status != BotStatus.DELETED


class BotChat(Base):
    """A chat for which Telegram has reported the bot's rights.

    A public chat has a `username`; a chat can become public at any time, so it is
    asked for again; `named` is when it was last told.
    """

    __tablename__ = "bot_chat"
    __table_args__ = (UniqueConstraint("bot_id", "chat_id"),)

    id: Mapped[Key]
    bot_id: Mapped[int] = mapped_column(ForeignKey("bot.id"))
    chat_id: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(String(255))
    type: Mapped[str] = mapped_column(String(16))
    is_admin: Mapped[bool]
    can_invite: Mapped[bool] = mapped_column(default=True, server_default=true())
    changed: Mapped[Moment]  # Telegram's date of the change
    checked: Mapped[Instant] = mapped_column(default=0.0, server_default="0")
    username: Mapped[str] = mapped_column(String(64), default="", server_default="")
    named: Mapped[Instant] = mapped_column(default=0.0, server_default="0")


class BotFault(Base):
    """One thing that is wrong with a bot, from the moment it is noticed until it is over.

    `chat_id` and `title` are of the chat it is about, if it is about one. `seen` is when
    it was last noticed. `repairs` counts how often a lost webhook was set again.
    """

    __tablename__ = "bot_fault"
    __table_args__ = (UniqueConstraint("bot_id", "kind", "chat_id"),)

    id: Mapped[Key]
    bot_id: Mapped[int] = mapped_column(ForeignKey("bot.id"))
    kind: Mapped[str] = mapped_column(String(8))
    chat_id: Mapped[int] = mapped_column(BigInteger, default=0)
    title: Mapped[str] = mapped_column(String(255), default="")
    since: Mapped[Instant]
    seen: Mapped[Instant]
    repairs: Mapped[int] = mapped_column(default=0)
