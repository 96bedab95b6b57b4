"""Postback: one event owed to one destination; Attempt: one request that told of it."""

import enum
from typing import Final

from sqlalchemy import BigInteger, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key, partial_index

REASON_LENGTH: Final = 300  # characters of a reason that people may see
#: The `sequence` of conversions begins here. They supersede no status, and none supersedes them.
FIRST_CONVERSION: Final = 1_000_000_001
#: Classes of status codes by which deliveries are looked for; `none` is without an answer.
STATUS_CLASSES: Final = ("2xx", "3xx", "4xx", "5xx", "none")


class PostbackState(enum.IntEnum):
    """WAITING and SENDING are on their way; the others are ends."""

    WAITING = 0
    SENDING = 1  # leased by a worker
    DELIVERED = 2
    REJECTED = 3  # the tracker will never take it
    FAILED = 4  # the schedule is used up
    SUPERSEDED = 5  # a newer status of the same lead went first
    DISCARDED = 6  # its destination is gone

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens without a person asking for it."""
        return self > PostbackState.SENDING


class Postback(Base):
    """`event` is the frozen Event as JSON; delivery never reads the lead again.

    `sequence` numbers the reports of a lead, and from FIRST_CONVERSION on those of its
    conversions, so (lead, destination, sequence) is unique for ever and gives the order.
    `occurrence` rises with each re-send by a person and is part of the idempotency key.
    `tries` counts attempts of this occurrence that were charged; `steps` the requests that
    already succeeded. `first_try` is when the step in hand was first sent such that it may
    have arrived. `adapter_state` is what its adapter wants to know next time, as JSON text.
    """

    __tablename__ = "postback"
    __table_args__ = (
        Index(
            "uq_postback_lead_id_destination_id_sequence",
            "lead_id",
            "destination_id",
            "sequence",
            unique=True,
        ),
        partial_index("ix_postback_waiting", "destination_id", "due", "id", where="state = 0"),
        partial_index("ix_postback_sending", "lease_until", where="state = 1"),
        Index("ix_postback_account_id_created", "account_id", "created", "id"),
        Index("ix_postback_campaign_id_created", "campaign_id", "created", "id"),
        Index("ix_postback_destination_id_created", "destination_id", "created", "id"),
        partial_index(
            "ix_postback_trouble", "account_id", "state", "created", "id", where="state > 2"
        ),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    lead_id: Mapped[int] = mapped_column(BigInteger)
    destination_id: Mapped[int] = mapped_column(BigInteger)
    sequence: Mapped[int]
    kind: Mapped[str] = mapped_column(String(8))
    event: Mapped[str] = mapped_column(Text)
    state: Mapped[int] = mapped_column(SmallInteger, default=PostbackState.WAITING)
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")
    occurrence: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    steps: Mapped[int] = mapped_column(SmallInteger, default=0)
    due: Mapped[Instant]
    first_try: Mapped[Instant | None]
    adapter_state: Mapped[str] = mapped_column(Text, server_default="")
    lease: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[Instant | None]
    created: Mapped[Instant]
    settled: Mapped[Instant | None]


class Attempt(Base):
    """What we sent (secrets masked), what came back, and what it meant.

    `number` is the try that it was; it comes again after a try that was not
    charged, because the tracker had refused the account and not the event.
    """

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_postback_id", "postback_id"),)

    id: Mapped[Key]
    postback_id: Mapped[int] = mapped_column(BigInteger)
    occurrence: Mapped[int]
    number: Mapped[int] = mapped_column(SmallInteger)
    step: Mapped[str] = mapped_column(String(32), default="")
    started: Mapped[Instant]
    ms: Mapped[int]
    request: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    answer: Mapped[str] = mapped_column(Text, default="")
    verdict: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(REASON_LENGTH), default="")
    next_try: Mapped[Instant | None]
    key: Mapped[str] = mapped_column(String(128), default="")
