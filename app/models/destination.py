"""Destination: a customer's configured connection to a tracker."""

import enum

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Encrypted, Instant, Key, Moment, partial_index


class Role(enum.IntEnum):
    """How a destination came to be."""

    TEMPLATE = 0  # the five pb_* of the account or of a campaign
    CONNECTED = 1  # made by dest/add


class DestinationStatus(enum.IntEnum):
    """Only ACTIVE ones are sent to; the postbacks of the others wait."""

    ACTIVE = 0
    PAUSED = 1
    DELETED = 2
    OFF = 3  # switched off by an answer (410, a revoked key); `reason` says why


class Destination(Base):
    """`settings` is the adapter's JSON, encrypted whole: templates carry keys too.

    `events` has bit `1 << index` set for each event that is sent. A template
    destination of an account has no campaign and serves every campaign that
    has no templates of its own. `blocked_until` and `failures` are the breaker.
    `every_event` is the adapter's wish: no status is dropped as superseded.
    """

    __tablename__ = "destination"
    __table_args__ = (
        Index("ix_destination_account_id", "account_id"),
        Index("ix_destination_campaign_id", "campaign_id"),
        partial_index(
            "uq_destination_account_template",
            "account_id",
            where="role = 0 AND campaign_id IS NULL",
            unique=True,
        ),
        partial_index(
            "uq_destination_campaign_template",
            "campaign_id",
            where="role = 0 AND campaign_id IS NOT NULL",
            unique=True,
        ),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    role: Mapped[int] = mapped_column(SmallInteger, default=Role.CONNECTED)
    tracker: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(128), default="")
    settings: Mapped[str] = mapped_column(Encrypted)
    events: Mapped[int] = mapped_column(SmallInteger)
    every_event: Mapped[bool] = mapped_column(default=False)
    status: Mapped[int] = mapped_column(SmallInteger, default=DestinationStatus.ACTIVE)
    reason: Mapped[str] = mapped_column(String(300), default="")
    failures: Mapped[int] = mapped_column(default=0)
    blocked_until: Mapped[Instant] = mapped_column(default=0.0)
    created: Mapped[Moment]
