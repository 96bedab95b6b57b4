"""Notice: something an account should be told, stored until a digest sends it."""

import enum

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key


class NoticeKind(enum.StrEnum):
    """What a notice is about. The first five are the events of a lead."""

    WAIT = "wait"
    HOLD = "hold"
    APPROVE = "approve"
    CANCEL = "cancel"
    TRASH = "trash"
    EXPIRY = "expiry"  # the plan ends soon
    PAYMENT = "payment"  # a plan was paid for
    RIGHTS = "rights"  # a bot is no administrator any more
    TOKEN = "token"  # noqa: S105 - Telegram refuses a bot's token
    WEBHOOK = "webhook"  # another program takes a bot's webhook
    POLLING = "polling"  # another program polls a bot's updates
    INVITE = "invite"  # a bot may not invite users to a chat
    OVER = "over"  # such a fault of a bot is over
    REQUESTS = "requests"  # people wait to be let into a chat
    SESSION = "session"  # a page has logged in
    KEY = "key"  # the API key was replaced
    TRANSFER = "transfer"  # a bot or a campaign is given, was given, or stays

    @property
    def is_of_a_lead(self) -> bool:
        """Whether it is the event of a lead, which muting a campaign silences."""
        return self in _OF_LEADS

    @property
    def is_urgent(self) -> bool:
        """Whether it is told at once, also right after another message."""
        return self in _URGENT


_URGENT = frozenset({NoticeKind.SESSION, NoticeKind.KEY, NoticeKind.TRANSFER})
_OF_LEADS = frozenset(list(NoticeKind)[:5])


class Notice(Base):
    """Counts `times` of the same thing. `about` is JSON: the values for the text."""

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
