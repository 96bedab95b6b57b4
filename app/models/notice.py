"""Notice: something an account is to be told, until it is put into a message."""

from __future__ import annotations

import enum

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key


class NoticeKind(enum.StrEnum):
    """What it is about. The first five are the events of a lead."""

    WAIT = "wait"
    HOLD = "hold"
    APPROVE = "approve"
    CANCEL = "cancel"
    TRASH = "trash"
    EXPIRY = "expiry"  # the plan ends soon
    PAYMENT = "payment"  # a plan was paid for
    RIGHTS = "rights"  # a bot is no administrator any more
    TOKEN = "token"  # noqa: S105 - Telegram refuses a bot's token

    @property
    def is_of_a_lead(self) -> bool:
        """Whether muting a campaign silences it."""
        return self in _OF_LEADS


_OF_LEADS = frozenset(list(NoticeKind)[:5])


class Notice(Base):
    """`times` the same thing. `about` is JSON: the values that the text wants."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_account_id_id", "account_id", "id"),
        Index("ix_notice_campaign_id", "campaign_id"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(BigInteger, default=0)
    kind: Mapped[str] = mapped_column(String(8))
    times: Mapped[int] = mapped_column(default=1)
    about: Mapped[str] = mapped_column(Text, default="{}")
    created: Mapped[Instant]
