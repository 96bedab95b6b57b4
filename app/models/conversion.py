"""Conversion: money or a registration that a server reports; EventKey: the key it reports by."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Encrypted, Instant, Key, Moment, partial_index

LONGEST_CLICK: Final = 256
LONGEST_TID: Final = 128


class EventKey(Base):
    """A key of `/in/<key>`, stored as a hash. It can write and read nothing.

    With `campaign_id` it is only for people of that campaign. `currency` is that of values
    that come without one. With `secret` every call must be signed; `addresses`, a JSON list
    of networks, are who may call, and an empty one is everybody. `login_id` is the login by
    which the key was made, as in `Account.key_login_id`. The `earlier_*` are those of versions
    before there was ReplacedEventKey, and not read any more.
    """

    __tablename__ = "event_key"
    __table_args__ = (
        Index("uq_event_key_key_hash", "key_hash", unique=True),
        Index("ix_event_key_account_id", "account_id"),
        Index("ix_event_key_campaign_id", "campaign_id"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    title: Mapped[str] = mapped_column(String(64))
    key_hash: Mapped[str] = mapped_column(String(64))
    currency: Mapped[str] = mapped_column(String(3), default="")
    secret: Mapped[str | None] = mapped_column(Encrypted)
    addresses: Mapped[str] = mapped_column(Text, default="[]")
    created: Mapped[Moment]
    login_id: Mapped[int | None] = mapped_column(BigInteger)
    earlier_hash: Mapped[str | None] = mapped_column(String(64))
    earlier_secret: Mapped[str | None] = mapped_column(Encrypted)
    earlier_login_id: Mapped[int | None] = mapped_column(BigInteger)


class ReplacedEventKey(Base):
    """A key for events, as a hash, that the key of another login has replaced. It opens nothing.

    Its columns are those of the EventKey that it was, and is deleted with. It is no ReplacedKey:
    a process of the version before would restore it as an API key.
    """

    __tablename__ = "replaced_event_key"
    __table_args__ = (Index("ix_replaced_event_key_event_key_id_id", "event_key_id", "id"),)

    id: Mapped[Key]
    event_key_id: Mapped[int] = mapped_column(ForeignKey("event_key.id", ondelete="CASCADE"))
    key_hash: Mapped[str] = mapped_column(String(64))
    secret: Mapped[str | None] = mapped_column(Encrypted)
    login_id: Mapped[int | None] = mapped_column(BigInteger)
    replaced: Mapped[Instant]


class Conversion(Base):
    """One event. Without `lead_id` it is cold: it waits for a lead with its `click`.

    A cold one with a `subscriber` waits for this person instead.
    `key_id` is the EventKey it came by, 0 for the API; no foreign key, since keys are
    deleted. `tid` is the sender's own id: with key and kind it is unique. `value_micro` is
    in millionths of `currency`, below zero for a refund, None while unknown. `revision`
    counts the values reported before; `reported` is the number of its last report among
    those of its lead, 0 if there was none.
    """

    __tablename__ = "conversion"
    __table_args__ = (
        Index("uq_conversion_tid", "account_id", "key_id", "kind", "tid", unique=True),
        Index("ix_conversion_account_id", "account_id", "id"),
        Index("ix_conversion_campaign_id", "campaign_id", "id"),
        partial_index("ix_conversion_lead_id", "lead_id", "reported", where="lead_id IS NOT NULL"),
        partial_index(
            "ix_conversion_subscriber", "account_id", "subscriber", where="subscriber IS NOT NULL"
        ),
        partial_index("ix_conversion_cold", "id", where="lead_id IS NULL"),
        partial_index("ix_conversion_cold_of_account", "account_id", "id", where="lead_id IS NULL"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int | None] = mapped_column(BigInteger)
    lead_id: Mapped[int | None] = mapped_column(BigInteger)
    click: Mapped[str] = mapped_column(String(LONGEST_CLICK), default="")
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(40), default="")
    value_micro: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3), default="")
    tid: Mapped[str] = mapped_column(String(LONGEST_TID))
    note: Mapped[str] = mapped_column(String(256), default="")
    time: Mapped[Moment]
    created: Mapped[Instant]
    revision: Mapped[int] = mapped_column(default=0)
    reported: Mapped[int] = mapped_column(default=0)
    subscriber: Mapped[int | None] = mapped_column(BigInteger)


class IdempotencyKey(Base):
    """A key that a caller of `events/*` gave to a call, its request as a hash, and the answer."""

    __tablename__ = "idempotency_key"
    __table_args__ = (
        Index("uq_idempotency_key_key_hash", "account_id", "key_hash", unique=True),
        Index("ix_idempotency_key_created", "created"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    key_hash: Mapped[str] = mapped_column(String(64))
    request_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text, default="")
    created: Mapped[Instant]


class ConversionDay(Base):
    """How many conversions of one kind a campaign had on a UTC day, and their sum by currency."""

    __tablename__ = "conversion_day"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    value_micro: Mapped[int] = mapped_column(BigInteger, default=0)
