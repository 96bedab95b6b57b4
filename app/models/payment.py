"""Payment: a plan someone set out to buy."""

from __future__ import annotations

import enum

from sqlalchemy import ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Moment


class PaymentState(enum.IntEnum):
    """NEW may still be paid, however late."""

    NEW = 0
    PAID = 1


class Payment(Base):
    """`ref` is how the gateway and the buyer's browser name it; it cannot be guessed.

    `amount` is in whole units of `currency`; both are what was really paid,
    and empty before. `until` is the end of the plan that it bought.
    """

    __tablename__ = "payment"
    __table_args__ = (
        Index("uq_payment_ref", "ref", unique=True),
        Index("ix_payment_account_id_id", "account_id", "id"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    ref: Mapped[str] = mapped_column(String(64))
    tariff: Mapped[str] = mapped_column(String(16))
    gateway: Mapped[str] = mapped_column(String(64))
    state: Mapped[int] = mapped_column(SmallInteger, default=PaymentState.NEW)
    url: Mapped[str] = mapped_column(String(2000), default="")
    amount: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(8), default="")
    created: Mapped[Moment]
    paid: Mapped[Moment | None]
    until: Mapped[Moment | None]
