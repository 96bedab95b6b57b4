"""Payment: an invoice for a plan, and what became of it."""

import enum

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Key, Moment


class PaymentState(enum.IntEnum):
    """NEW may still be paid, however late. REFUNDED was paid and then given back."""

    NEW = 0
    PAID = 1
    REFUNDED = 2


class Payment(Base):
    """`ref` is how the gateway and the buyer's browser name it; it cannot be guessed.

    `amount` is in whole units of `currency`; both are what was really paid,
    and empty before. `until` is the end of the plan that it bought, and
    `before` the plan that was in force when it came.

    `price` is what a gateway with prices of its own asks, in `price_currency`;
    without one any price of the plan is accepted. `charge` is the gateway's own id
    of the money, which counts once, and `payer` the Telegram id of the buyer.
    """

    __tablename__ = "payment"
    __table_args__ = (
        Index("uq_payment_ref", "ref", unique=True),
        Index("ix_payment_account_id_id", "account_id", "id"),
        Index("uq_payment_gateway_charge", "gateway", "charge", unique=True),
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
    before: Mapped[str] = mapped_column(String(16), default="", server_default="")
    price: Mapped[int] = mapped_column(default=0, server_default="0")
    price_currency: Mapped[str] = mapped_column(String(8), default="", server_default="")
    charge: Mapped[str | None] = mapped_column(String(255))
    payer: Mapped[int | None] = mapped_column(BigInteger)
    refunded: Mapped[Moment | None]
