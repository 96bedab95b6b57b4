"""TransferToken: with it others may give an account a bot or a campaign; Transfer: such a gift."""

import enum

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Encrypted, Instant, Key, partial_index


class TransferToken(Base):
    """Its owner may read it again, so it is encrypted and not only hashed."""

    __tablename__ = "transfer_token"
    __table_args__ = (Index("uq_transfer_token_token_hash", "token_hash", unique=True),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    token: Mapped[str] = mapped_column(Encrypted)
    token_hash: Mapped[str] = mapped_column(String(64))


class TransferState(enum.IntEnum):
    """How far a transfer has come. One that was called off has no row."""

    PENDING = 0
    DONE = 1
    FAILED = 2
    REVERSING = 3  # its login was undone; the clock takes it back
    REVERSED = 4


class Transfer(Base):
    """A bot, or a campaign, that `account_id` gives to `recipient_id` when it is `due`.

    Of `bot_id` and `campaign_id` one is set. `to_bot` is the recipient's bot that a campaign
    goes to, None for any. `login_id` is the login by which it was asked for, as in
    `Account.key_login_id`. `reason` is the code of the error of a failed one. `moved` is JSON:
    for each campaign that went its id, the id of its bot, and its status. `progress` is what has
    still to follow, as `services.campaigns.relocation` writes it; "" when all is there.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        Index("ix_transfer_account_id_id", "account_id", "id"),
        Index("ix_transfer_recipient_id_id", "recipient_id", "id"),
        Index("ix_transfer_login_id", "login_id"),
        partial_index(
            "ix_transfer_due",
            "due",
            where=f"state IN ({TransferState.PENDING:d}, {TransferState.REVERSING:d})",
        ),
        Index("ix_transfer_settled", "settled"),
        partial_index("ix_transfer_moving", "id", where="progress <> ''"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    bot_id: Mapped[int | None] = mapped_column(BigInteger)
    campaign_id: Mapped[int | None] = mapped_column(BigInteger)
    to_bot: Mapped[int | None] = mapped_column(BigInteger)
    with_leads: Mapped[bool]
    login_id: Mapped[int | None] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(String(255))
    state: Mapped[int] = mapped_column(SmallInteger, default=TransferState.PENDING)
    reason: Mapped[str] = mapped_column(String(32), default="")
    moved: Mapped[str] = mapped_column(Text, default="[]")
    progress: Mapped[str] = mapped_column(Text, default="", server_default="")
    created: Mapped[Instant]
    due: Mapped[Instant]
    settled: Mapped[Instant | None]
