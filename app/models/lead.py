"""Lead: a person in a campaign. Unreachable: a person a bot may not write to."""

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Big, Key, Moment, partial_index


class Lead(Base):
    """The fields of `domain.lead.Lead`, the campaign it belongs to and the person.

    `start_time` and `join_time` are shown to people. `last_start_*` and
    `last_membership_*` are the two clocks by which the lead machine tells old
    events from new ones. `reports` counts what was ever reported, and numbers
    the postbacks of this lead. `source_id` and `click_id` name the stored click that
    `click` came from; no foreign keys, since clicks are deleted in time. `how` is a
    `domain.attribution.How`.
    """

    __tablename__ = "lead"
    __table_args__ = (
        UniqueConstraint("campaign_id", "subscriber"),
        Index("ix_lead_account_id_start_time", "account_id", "start_time", "id"),
        Index("ix_lead_campaign_id_start_time", "campaign_id", "start_time", "id"),
        Index("ix_lead_bot_id_subscriber", "bot_id", "subscriber"),
        partial_index("ix_lead_click", "account_id", "click", "id", where="click <> ''"),
        partial_index("ix_lead_username", "account_id", "username", where="username <> ''"),
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
    last_start_at: Mapped[Moment]
    last_start_update_id: Mapped[int] = mapped_column(BigInteger, default=0)
    last_membership_at: Mapped[Moment] = mapped_column(default=0)
    last_membership_update_id: Mapped[int] = mapped_column(BigInteger, default=0)
    held: Mapped[bool] = mapped_column(default=False)
    reports: Mapped[int] = mapped_column(Big, default=0)
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    click_id: Mapped[int | None] = mapped_column(BigInteger)
    how: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    touched: Mapped[Moment] = mapped_column(default=0, server_default="0")
    also_seen: Mapped[str] = mapped_column(String(256), default="", server_default="")


class Unreachable(Base):
    """A person this bot may not write to, until they start or unblock it."""

    __tablename__ = "unreachable"

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    subscriber: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    since: Mapped[Moment]
    reason: Mapped[str] = mapped_column(String(200))
