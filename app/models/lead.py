"""Lead: a person in a campaign; and people our bots cannot reach."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Big, Key, Moment


class Lead(Base):
    """The columns of `domain.lead_machine.Lead`, plus whose it is.

    `start_time` and `join_time` are shown to people. `started_at` and the
    pair `member_at`, `member_uid` are the two clocks by which the machine
    tells old news from new. `reports` counts what was ever reported and
    numbers the postbacks of this lead.
    """

    __tablename__ = "lead"
    __table_args__ = (
        UniqueConstraint("campaign_id", "subscriber"),
        Index("ix_lead_account_id_start_time", "account_id", "start_time", "id"),
        Index("ix_lead_campaign_id_start_time", "campaign_id", "start_time", "id"),
        Index("ix_lead_bot_id_subscriber", "bot_id", "subscriber"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    bot_id: Mapped[int] = mapped_column(BigInteger)
    subscriber: Mapped[int] = mapped_column(BigInteger)
    username: Mapped[str] = mapped_column(String(64), default="")
    first_name: Mapped[str] = mapped_column(String(64), default="")
    last_name: Mapped[str] = mapped_column(String(64), default="")
    language: Mapped[str] = mapped_column(String(16), default="")
    premium: Mapped[bool] = mapped_column(default=False)
    click: Mapped[str] = mapped_column(String(256), default="")
    state: Mapped[int] = mapped_column(SmallInteger)
    start_time: Mapped[Moment]
    join_time: Mapped[Moment | None]
    updated: Mapped[Moment]
    started_at: Mapped[Moment]
    started_uid: Mapped[int] = mapped_column(BigInteger, default=0)
    member_at: Mapped[Moment] = mapped_column(default=0)
    member_uid: Mapped[int] = mapped_column(BigInteger, default=0)
    held: Mapped[bool] = mapped_column(default=False)
    reports: Mapped[int] = mapped_column(Big, default=0)


class Unreachable(Base):
    """A person this bot may not write to, until they start or unblock it."""

    __tablename__ = "unreachable"

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    subscriber: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    since: Mapped[Moment]
    reason: Mapped[str] = mapped_column(String(200))
